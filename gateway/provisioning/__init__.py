"""Create, change, enable and remove an instance with all that hangs on it."""
