"""The intervals of candles, in all their spellings, and where their windows begin.

Windows are aligned to UTC; weeks begin on Monday.
"""

import re
from enum import Enum

# 1970-01-05 00:00 UTC, the first Monday of the epoch.
_MONDAY_S = 4 * 86_400

_UNITS = {
    "s": ("s", "sec", "secs", "second", "seconds"),
    "m": ("m", "min", "mins", "minute", "minutes"),
    "h": ("h", "hr", "hrs", "hour", "hours"),
    "d": ("d", "day", "days"),
    "w": ("w", "wk", "week", "weeks"),
}
_UNIT_OF = {spelling: unit for unit, spellings in _UNITS.items() for spelling in spellings}
_SPELLING = re.compile(r"\s*(\d{1,3})\s*([A-Za-z]+)\s*", re.ASCII)


class UnknownIntervalError(ValueError):
    """An interval that is not served; the sentence lists those that are."""


class Interval(Enum):
    """An interval by its short name; `seconds` is its length."""

    S1 = "1s"
    S10 = "10s"
    M1 = "1m"
    M5 = "5m"
    M15 = "15m"
    H1 = "1h"
    H4 = "4h"
    D1 = "1d"
    W1 = "1w"

    @property
    def seconds(self) -> int:
        return _SECONDS[self]

    @property
    def origin_s(self) -> int:
        """Return a time at which a window begins."""
        return _MONDAY_S if self is Interval.W1 else 0

    def open_time(self, time_s: int) -> int:
        """Return when the window that holds this time begins, in seconds since the epoch."""
        return time_s - (time_s - self.origin_s) % self.seconds


_SECONDS = {
    Interval.S1: 1,
    Interval.S10: 10,
    Interval.M1: 60,
    Interval.M5: 300,
    Interval.M15: 900,
    Interval.H1: 3_600,
    Interval.H4: 14_400,
    Interval.D1: 86_400,
    Interval.W1: 604_800,
}
_BY_NAME = {interval.value: interval for interval in Interval}
ALLOWED = tuple(_BY_NAME)


def parse_interval(text: str) -> Interval:
    """Return the interval that is spelled `10s`, `10 second`, `10 seconds` and the like.

    Raises UnknownIntervalError.
    """
    spelled = _SPELLING.fullmatch(text)
    if spelled is not None:
        count, unit = spelled.groups()
        # A capital M is a month elsewhere: one-letter units are taken in lower case only.
        known = _UNIT_OF.get(unit if len(unit) == 1 else unit.lower())
        interval = _BY_NAME.get(f"{int(count)}{known}")
        if interval is not None:
            return interval
    raise UnknownIntervalError(
        f"{text[:40]!r} is not an interval; the intervals are {', '.join(ALLOWED)}"
    )
