"""Kill the real gateway again and again under load, and count what arrived."""
