"""The event record, and the refusals of what did not become one."""
