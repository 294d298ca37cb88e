"""Connectors that a partner brought: their definitions, what is made of them, and how they get into the catalogue."""
