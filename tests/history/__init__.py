"""Questions about what happened: filters, pages, fates, the ledger."""
