"""Who is calling: partners, accounts, users, secrets and tokens."""
