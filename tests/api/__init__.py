"""The surfaces, each over real HTTP."""
