"""The only door outwards: one guard, two HTTP clients, size and time limits, no redirects."""
