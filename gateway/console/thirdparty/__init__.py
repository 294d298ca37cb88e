"""Pages of 3rd-party connectors: the table, the editor with its preview and test, and the calls that one has made."""
