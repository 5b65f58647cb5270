"""The compiled kernel: docs/matching.md as plain functions over integer arrays."""
