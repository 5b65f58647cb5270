"""Benches: load and pace, each figure with the mix that it was measured under."""
