"""Instances: all of them with how they stand, one with everything on it, and what can be done with it."""
