"""The trading screen under load, in a real browser."""
