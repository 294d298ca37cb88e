"""The narrow waist to a database: read, grouped write, fenced transaction; knows no domain word."""
