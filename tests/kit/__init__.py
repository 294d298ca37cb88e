"""What tests stand on: a real gateway, a real consumer, a real PostgreSQL, deliveries signed as vendors sign them."""
