"""Linger: how long a pair waits for company before its next range goes out.

Each range costs an actor call, two records and a fetch, whatever it holds. Below
`RANGES_PER_SECOND` records a second that is affordable and nobody waits; above it, records that
come one by one are gathered so that all pairs together stay near that number.
"""

RANGES_PER_SECOND = 350.0
WAIT_S_MAX = 0.040


class Linger:
    """Time that pairs of a router wait for more records, from its recent load."""

    def __init__(self) -> None:
        self.wait_s = 0.0

    def measure(self, *, records_per_second: float, busy_pairs: int) -> None:
        """Set the wait for the load of the last interval."""
        excess = (records_per_second - RANGES_PER_SECOND) / RANGES_PER_SECOND
        full_wait_s = busy_pairs / RANGES_PER_SECOND
        self.wait_s = min(full_wait_s * min(max(excess, 0.0), 1.0), WAIT_S_MAX)
