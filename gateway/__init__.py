"""Connector Gateway: verified vendor events in, signed and null-filtered notifications out, nothing lost."""
