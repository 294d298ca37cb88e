"""Events: a list that lives, and all that is known of one of them."""
