"""Logins, their tokens, and what calls show about credentials."""
