"""Whether a request is the vendor's."""
