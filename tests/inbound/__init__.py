"""Facts about deliveries of vendors: proved, read, answered."""
