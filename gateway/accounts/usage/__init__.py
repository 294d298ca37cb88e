"""Usage: a row for every call through an instance, kept without anybody waiting for it."""
