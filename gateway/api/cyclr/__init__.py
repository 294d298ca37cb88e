"""The Cyclr surface: tokens, the partner API, accounts, connectors, method calls, custom connectors."""
