"""The realtime hub: what happens in the markets, to every client that asked for it."""
