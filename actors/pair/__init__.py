"""The pair actor: one market's book and matching loop, its host and its clients."""
