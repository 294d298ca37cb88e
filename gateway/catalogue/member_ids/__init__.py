"""The numbers of what connectors name: their methods, what those take, their configuration entries."""
