"""A connector in an account: the record, its configuration, its credentials, and the index of the hot path."""
