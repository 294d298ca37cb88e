"""The event record, its retention, refusals."""
