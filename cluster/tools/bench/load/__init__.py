"""Load that is held for long, or beyond what a platform can take, and what becomes of it."""
