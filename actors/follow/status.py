"""What every follower of the log says about itself."""

import msgspec


class FollowerStatus(msgspec.Struct, frozen=True, kw_only=True):
    """How a follower stands; times are seconds since the Unix epoch, 0 where there was none.

    `transactions` counts since the process started; `faults` says by market id which markets are
    stalled, or were spoilt, and why.
    """

    process_id: int
    healthy: bool
    connected: bool
    error: str
    faults: dict[int, str]
    transactions: int
    records_behind: int
    last_commit_time_s: float
    last_commit_duration_ms: float
