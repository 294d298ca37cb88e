"""The gateway's own API, under /api/v1."""
