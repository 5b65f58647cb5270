"""The fault campaign: load, faults at random moments, and proof after each round."""
