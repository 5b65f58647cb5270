"""Load on a running platform, and how long each order's way to its trade and its row takes."""
