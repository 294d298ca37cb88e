"""The Cyclr surface; so far its token endpoint."""
