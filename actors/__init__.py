"""Sharded workers of the platform: the pair actor, its ports and their adapters."""
