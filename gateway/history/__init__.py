"""What happened to events: their fate, and the ledger that balances."""
