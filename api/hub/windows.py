"""The open window of one interval, kept from seconds as they change."""

import msgspec

from actors.platform.messages import Candle
from analytics.intervals import Interval
from analytics.messages import LiveCandle


class LiveWindow:
    """One market's open candle: what its finished seconds add up to, and the newest second.

    A second may come again with more trades; it replaces what it was.
    """

    def __init__(self, interval: Interval, live: LiveCandle) -> None:
        self._interval = interval
        self._second = live.second
        window, second = live.window, live.second
        if second.open_time_s >= window.open_time_s:
            # Its prices may stay: a second only ever widens, and its open is not the window's
            # close.
            window = msgspec.structs.replace(
                window,
                volume_lots=window.volume_lots - second.volume_lots,
                notional=window.notional - second.notional,
                trade_count=window.trade_count - second.trade_count,
            )
        self._finished = window

    @property
    def candle(self) -> Candle:
        """Return the window's candle as it stands."""
        finished, second = self._finished, self._second
        if second.open_time_s < finished.open_time_s:
            return finished
        return Candle(
            market_id=finished.market_id,
            open_time_s=finished.open_time_s,
            open_ticks=finished.open_ticks,
            high_ticks=max(finished.high_ticks, second.high_ticks),
            low_ticks=min(finished.low_ticks, second.low_ticks),
            close_ticks=second.close_ticks,
            volume_lots=finished.volume_lots + second.volume_lots,
            notional=finished.notional + second.notional,
            trade_count=finished.trade_count + second.trade_count,
            last_sequence=second.last_sequence,
        )

    def apply(self, second: Candle) -> bool:
        """Take a second as it stands now; False where it is known already."""
        if second.last_sequence <= self._second.last_sequence:
            return False
        opened = self._interval.open_time(second.open_time_s)
        if opened < self._finished.open_time_s:
            # The clock has opened the next window already: its carried close was not the last.
            self._finished = _carried(second, self._finished.open_time_s)
        elif opened > self._finished.open_time_s:
            self._finished = _nothing_yet(second, opened)
        elif second.open_time_s != self._second.open_time_s:
            self._finished = self._after(second)
        self._second = second
        return True

    def roll(self, now_s: int) -> bool:
        """Open the window that holds `now_s` with the last close; False where it is open."""
        opened = self._interval.open_time(now_s)
        last = self.candle
        if opened <= last.open_time_s:
            return False
        self._finished = _carried(last, opened)
        return True

    def _after(self, second: Candle) -> Candle:
        """Return what is finished when a new second of the same window begins."""
        finished = self.candle
        if finished.trade_count == 0:
            return _nothing_yet(second, finished.open_time_s)
        return finished


def _nothing_yet(second: Candle, opened: int) -> Candle:
    """Return a window without trades whose prices are those of its first second."""
    return msgspec.structs.replace(
        second, open_time_s=opened, volume_lots=0, notional=0, trade_count=0
    )


def _carried(last: Candle, opened: int) -> Candle:
    close = last.close_ticks
    return Candle(last.market_id, opened, close, close, close, close, 0, 0, 0, last.last_sequence)
