"""Replays, dead letters and erasures."""
