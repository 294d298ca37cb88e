"""Numbered pages of an account's instances, and the names that they have."""
