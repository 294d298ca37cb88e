"""The waist to a database: the same facts on both engines, and what only one of them can do wrong."""
