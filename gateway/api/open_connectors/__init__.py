"""The SAP Open Connectors surface."""
