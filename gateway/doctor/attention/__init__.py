"""What of an account needs somebody: instances that get no events, or cannot send them on."""
