"""Deliveries of events to destinations: notification, signature, attempt, retry, settlement, lanes."""
