"""Connectors against deliveries as data."""
