"""Benches: load and rates, each figure with the mix that it was measured under."""
