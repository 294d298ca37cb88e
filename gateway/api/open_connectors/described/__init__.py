"""This surface's operations, as its handlers check them; a route that stands in no table fails a test."""
