"""The newest windows of one interval, kept from seconds as they change."""

from bisect import bisect_right
from collections.abc import Iterable

import msgspec

from actors.platform.messages import Candle
from analytics.intervals import Interval
from analytics.messages import LiveCandle

# A second that comes behind so many newer ones is not taken any more.
SECONDS_KEPT = 60
# How many windows without a trade are told at once: ten minutes of the shortest, which is as long
# as the candle actor keeps seconds for a Redis that is away.
WINDOWS_MAX = 600


class LiveWindows:
    """One market's windows, from the one that held the newest second at the beginning on.

    A window is what its seconds add up to, as `analytics.frames` folds them; one without a trade
    carries the close before it. A second may come late, out of turn, or again with more trades:
    whoever passes on every window that `apply` and `roll` return has told each as it stands. Only
    where more than `WINDOWS_MAX` would be told at once those without a trade are left out, up to
    the newest.
    """

    def __init__(self, interval: Interval, live: LiveCandle, *, now_s: int) -> None:
        self._interval = interval
        self._settled = _without(live.window, live.second)
        self._seconds = {live.second.open_time_s: live.second}
        # What is older has settled.
        self._first_s = live.second.open_time_s
        self._newest_s = interval.open_time(max(now_s, live.second.open_time_s))

    @property
    def heard_s(self) -> int:
        """Return when the newest second with a trade began."""
        return max(self._seconds)

    @property
    def newest(self) -> Candle:
        """Return the candle of the newest window."""
        opened = self._newest_s
        return self._windows([opened], changed=set(), told_s=opened - 1)[0]

    def apply(self, seconds: Iterable[Candle]) -> list[Candle]:
        """Take seconds and return the windows that they change or open, oldest first."""
        changed = {
            self._interval.open_time(second.open_time_s) for second in seconds if self._take(second)
        }
        if not changed:
            return []
        told_s = self._newest_s
        self._newest_s = max(told_s, *changed)
        opened = self._between(min(*changed, told_s + self._interval.seconds), changed=changed)
        windows = self._windows(opened, changed=changed, told_s=told_s)
        self._settle()
        return windows

    def roll(self, now_s: int) -> list[Candle]:
        """Open the windows up to the one that holds `now_s`; return them, oldest first."""
        told_s = self._newest_s
        self._newest_s = max(told_s, self._interval.open_time(now_s))
        opened = self._between(told_s + self._interval.seconds, changed=set())
        return self._windows(opened, changed=set(), told_s=told_s)

    def _take(self, second: Candle) -> bool:
        known = self._seconds.get(second.open_time_s)
        if second.open_time_s < self._first_s or (
            known is not None and second.last_sequence <= known.last_sequence
        ):
            return False
        self._seconds[second.open_time_s] = second
        return True

    def _between(self, first_s: int, *, changed: set[int]) -> Iterable[int]:
        """Return when the windows from this one to the newest open, as far as they are told."""
        opened = range(first_s, self._newest_s + 1, self._interval.seconds)
        if len(opened) <= WINDOWS_MAX:
            return opened
        return sorted(changed | {self._newest_s})

    def _windows(self, opened: Iterable[int], *, changed: set[int], told_s: int) -> list[Candle]:
        """Return those of these windows that are new, or made of a window that has changed."""
        traded = self._traded()
        times = list(traded)
        windows = []
        for open_time_s in opened:
            source = times[bisect_right(times, open_time_s) - 1]
            if open_time_s > told_s or source in changed:
                candle = traded[source]
                windows.append(candle if source == open_time_s else _carried(candle, open_time_s))
        return windows

    def _traded(self) -> dict[int, Candle]:
        """Return the windows with trades by the time they open, in order of time."""
        windows = {} if self._settled is None else {self._settled.open_time_s: self._settled}
        for time_s in sorted(self._seconds):
            opened = self._interval.open_time(time_s)
            windows[opened] = _folded(windows.get(opened), self._seconds[time_s], opened)
        return windows

    def _settle(self) -> None:
        for time_s in sorted(self._seconds)[:-SECONDS_KEPT]:
            opened = self._interval.open_time(time_s)
            settled = self._settled
            if settled is not None and settled.open_time_s != opened:
                settled = None
            self._settled = _folded(settled, self._seconds.pop(time_s), opened)
            self._first_s = time_s + 1


def _folded(window: Candle | None, second: Candle, opened: int) -> Candle:
    """Return a window with its next second."""
    if window is None:
        return msgspec.structs.replace(second, open_time_s=opened)
    return Candle(
        market_id=window.market_id,
        open_time_s=opened,
        open_ticks=window.open_ticks,
        high_ticks=max(window.high_ticks, second.high_ticks),
        low_ticks=min(window.low_ticks, second.low_ticks),
        close_ticks=second.close_ticks,
        volume_lots=window.volume_lots + second.volume_lots,
        notional=window.notional + second.notional,
        trade_count=window.trade_count + second.trade_count,
        last_sequence=second.last_sequence,
    )


def _without(window: Candle, second: Candle) -> Candle | None:
    """Return a window without its last second, None where it has no other.

    Its prices may stay: a second only ever widens, and its open is not the window's.
    """
    if window.trade_count == second.trade_count:
        return None
    return msgspec.structs.replace(
        window,
        volume_lots=window.volume_lots - second.volume_lots,
        notional=window.notional - second.notional,
        trade_count=window.trade_count - second.trade_count,
    )


def _carried(last: Candle, opened: int) -> Candle:
    close = last.close_ticks
    return Candle(last.market_id, opened, close, close, close, close, 0, 0, 0, last.last_sequence)
