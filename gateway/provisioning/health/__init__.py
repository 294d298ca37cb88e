"""How instances stand: those in trouble found among all, and the figures of each."""
