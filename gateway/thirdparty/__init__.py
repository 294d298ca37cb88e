"""3rd-party connectors: an account's own requests to other systems, made of its events."""
