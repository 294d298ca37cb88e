"""What every surface's operations are written down in, and the document and the page that come of it."""
