"""What is stored is gone through once more: sent again, discarded or erased, by jobs that survive any crash."""
