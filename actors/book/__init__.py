"""The pure core: one market's order book as a deterministic fold of its commands."""
