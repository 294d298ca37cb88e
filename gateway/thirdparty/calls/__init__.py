"""What a 3rd-party connector was called with, and what came of it."""
