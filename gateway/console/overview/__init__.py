"""The overview: what came in and went out, what needs somebody, and how to begin where there is nothing yet."""
