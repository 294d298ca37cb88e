"""Whether all is well: checks with verdicts, and the ledger against a full count."""
