"""The audit log: who changed what, and who signed in."""
