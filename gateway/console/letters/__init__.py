"""Dead letters: by their destinations, sent again or laid down."""
