"""A partner's accounts: found by either of their ids, listed in any order, added, changed and removed."""
