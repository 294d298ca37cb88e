"""Whether an examination finds what is wrong."""
