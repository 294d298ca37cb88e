"""The console driven by a real browser: what people do there, from the first page to the last."""
