"""Deliveries: the pure decisions, the rows, the worker."""
