"""Events in the order in which they become durable, for those who follow them live."""
