"""Settings: the account, its users, the partner's accounts, the audit log."""
