"""Where is it? One question for whatever name of an event somebody has."""
