"""Vendor webhooks become events: receive, verify, normalise, answer."""
