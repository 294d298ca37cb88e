"""Pages in a real browser: where it comes from, what tests get of it, and how a page is judged."""
