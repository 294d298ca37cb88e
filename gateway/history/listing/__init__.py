"""Pages of events that fit a filter, at the same cost wherever they lie."""
