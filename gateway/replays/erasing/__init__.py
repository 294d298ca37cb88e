"""What an account, or one object of it, has left here is taken away."""
