"""Who wants which event; publish is the only way in."""
