"""Dead letters: deliveries that were given up, until somebody sends them again or lays them down."""
