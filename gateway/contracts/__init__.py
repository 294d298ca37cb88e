"""Connectors tried against deliveries as data: judged, tampered with, and recorded."""
