"""The ledger in sums: in total, of an instance, of a destination."""
