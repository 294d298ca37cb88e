"""Metering: what an account used, by the hour, and the periods for which it is told."""
