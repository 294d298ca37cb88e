"""Calls in the name of an instance: its logins, kept fresh, and every request to a vendor that is made with them."""
