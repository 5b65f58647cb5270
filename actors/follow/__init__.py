"""The follower of a log: stored positions, the reading side, rows by COPY."""
