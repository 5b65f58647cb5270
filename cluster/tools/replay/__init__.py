"""A real exchange's order flow through the running platform, and what became of it."""
