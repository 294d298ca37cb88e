"""Replays and discards: begun after a look at what they find, watched, stopped."""
