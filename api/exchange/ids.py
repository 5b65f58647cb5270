"""Ids of commands and orders: 63 bits that grow with time and never meet another gateway's.

Layout: milliseconds since 2025-01-01 UTC (41 bits), worker number (10), counter (12).
"""

import re
import time
from collections.abc import Callable

from actors.book.market import INT64_MAX
from api.exchange.refusals import NotFoundError, malformed

EPOCH_MS = 1_735_689_600_000
WORKER_BITS = 10
COUNTER_BITS = 12
WORKERS = 1 << WORKER_BITS
_COUNTERS = 1 << COUNTER_BITS
_TIME_SHIFT = WORKER_BITS + COUNTER_BITS
_ID_TEXT = re.compile(r"[1-9][0-9]{0,18}", re.ASCII)


def _wall_clock_ms() -> int:
    return time.time_ns() // 1_000_000


class IdGenerator:
    """Make ids that grow within the process, also when the clock stands still or goes back.

    The 4,097th id of a millisecond is of the next one.
    """

    def __init__(self, worker: int, *, now_ms: Callable[[], int] = _wall_clock_ms) -> None:
        if not 0 <= worker < WORKERS:
            raise ValueError(f"worker number {worker} does not fit {WORKER_BITS} bits")
        self.worker = worker
        self._now_ms = now_ms
        self._time_ms = 0
        self._counter = 0

    def next(self) -> int:
        """Return a new id."""
        now_ms = self._now_ms() - EPOCH_MS
        if now_ms > self._time_ms:
            self._time_ms = now_ms
            self._counter = 0
        elif self._counter + 1 < _COUNTERS:
            self._counter += 1
        else:
            self._time_ms += 1
            self._counter = 0
        return self._time_ms << _TIME_SHIFT | self.worker << COUNTER_BITS | self._counter

    def take(self, count: int) -> list[int]:
        """Return so many new ids, in order."""
        ids: list[int] = []
        while len(ids) < count:
            first = self.next()
            more = min(count - len(ids), _COUNTERS - self._counter)
            ids.extend(range(first, first + more))
            self._counter += more - 1
        return ids


def id_time_ms(identity: int) -> int:
    """Return when an id was made, in milliseconds since the Unix epoch."""
    return (identity >> _TIME_SHIFT) + EPOCH_MS


def parse_order_id(text: str) -> int:
    """Return an order id from a path or a cursor.

    Raises Refusal where it is no whole number, or where it cannot be an id.
    """
    if not _ID_TEXT.fullmatch(text):
        raise malformed("An order id is a whole number above zero.")
    identity = int(text)
    if identity > INT64_MAX:
        raise NotFoundError("UNKNOWN_ORDER", "There is no order with this id.")
    return identity
