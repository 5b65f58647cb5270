"""What a router knows of a pair, for its lag, its clock and its health."""

from collections import Counter
from dataclasses import dataclass, field


@dataclass(slots=True)
class Counters:
    """What has passed since the router started."""

    records: int = 0
    ranges: int = 0
    commands: int = 0
    events: int = 0
    trades: int = 0
    recoveries: int = 0
    apply_seconds: float = 0.0


@dataclass(slots=True)
class PairState:
    """How the pair stands, by what was published of it."""

    available: bool = False
    next_offset: int = 0
    sequence: int = 0
    next_expiry_us: int = 0
    open_orders: int = 0
    last_price_ticks: int = 0
    halted: bool = False
    recovery_seconds: float = 0.0
    declined: Counter[int] = field(default_factory=Counter)
    counters: Counters = field(default_factory=Counters)
