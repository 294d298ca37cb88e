"""The surfaces that speak over one domain; they never know each other."""
