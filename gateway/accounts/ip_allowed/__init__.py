"""Where a partner's callers may come from: the addresses of its calls, and those of its whole API."""
