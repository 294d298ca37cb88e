"""Destinations as people know them: with the name of what they belong to."""
