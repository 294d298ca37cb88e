"""Facts about connector files and their two small languages."""
