"""What a caller wants, read and checked."""
