"""3rd-party connectors."""
