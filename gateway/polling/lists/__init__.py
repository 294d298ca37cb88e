"""Pollers as their owners list them."""
