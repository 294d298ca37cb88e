"""Partners, accounts, users: who is there, and how they get in."""
