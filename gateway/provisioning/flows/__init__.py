"""How many event flows of an account are active, noted whenever one of its instances changes."""
