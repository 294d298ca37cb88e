"""Traffic: what came in and went out by the minute and the hour, for charts; quick to ask, and never the ledger."""
