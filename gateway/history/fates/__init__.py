"""What became of whatever arrived under a name: stored, refused, counted as known, ignored."""
