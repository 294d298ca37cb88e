"""The catalogue, the way of a person through a vendor's credentials, and what to do next."""
