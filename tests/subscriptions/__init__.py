"""The only way in."""
