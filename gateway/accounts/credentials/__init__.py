"""Credential sets of partners, the access tokens they were exchanged for, and the grants that do so."""
