"""Vendors that are asked for their changes: what is read becomes events, and nothing is missed or doubled."""
