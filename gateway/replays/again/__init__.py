"""Events that are sent once more, as new deliveries."""
