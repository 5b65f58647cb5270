"""The fault campaign: load, faults, and the audit after each round."""
