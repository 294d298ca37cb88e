"""Configuration and headers as values."""
