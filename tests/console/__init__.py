"""The console: pages asked for as programs do, and journeys through a real browser."""
