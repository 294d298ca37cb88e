"""3rd-party connectors tried by hand: what they would send of an event, and what the other side says to it."""
