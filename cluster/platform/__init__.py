"""A platform's life: Ray, Serve, actors, nodes, and their end."""
