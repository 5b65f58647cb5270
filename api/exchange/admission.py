"""Admission of orders by how long those before them take: what would wait too long is not taken.

A gateway can write orders to the log faster than books, router and Kafka get through with them,
as all share processors; those accepted would then wait for as long as the log has grown. So each
market has a window: how many orders of this process may be on their way between here and their
event. Where they take longer than the target, the window shrinks to what would have taken just as
long as that; where they do not and the window is used, it grows with each event. Thus it follows
what the platform gets through, whatever the machine, and as the number on the way is what is
bounded, there is no burst to fear when a window opens.

Times are of this process's clock alone, and what its own reader rested is no delay of a market's.
Where a market has been silent for two seconds, as its actor or its router starts again, nothing is
known of its speed, and orders are taken: the log keeps them.
"""

import math
import time
from collections import OrderedDict
from collections.abc import Callable, Iterable

from actors.book.market import Market
from actors.book.records import RecordArray
from actors.book.vocabulary import Flag
from actors.platform.topology import Topology
from api.exchange.demand import Demand
from api.exchange.ids import COUNTER_BITS, WORKERS
from api.exchange.refusals import UnavailableError

# All markets' windows together, at least.
_ALL_MIN = 64
# Two whole batches: a market that nobody knows yet is not refused its second.
_WINDOW_AT_FIRST = 2_000.0
_WINDOW_MIN = 2
_WINDOW_MAX = 4_096.0
# What an event adds to a window that is used: to twice as much in the time that an order takes, and
# carefully for some time after it was found where too much begins.
_GROWTH_AT_FIRST = 1.0
_GROWTH = 0.25
_SHRINK_MIN = 0.3
_CAREFUL_S = 2.0
_SILENT_S = 2.0
# Orders that were sent so long before one that was heard of are not in the log.
_LOST_S = 2.0
# Orders on their way at which events are listened to at once, and at which no longer. So they are
# where a window is half full, until it is a quarter full: what was not heard yet fills it too.
_LISTEN = 256
_LISTEN_NO_MORE = 64
_KEPT_MAX = 20_000


class _Window:
    """One market's orders on their way, oldest first, and how many there may be."""

    __slots__ = ("cut_s", "heard_s", "sent_s", "size")

    def __init__(self, size: float) -> None:
        self.sent_s: OrderedDict[int, float] = OrderedDict()
        self.size = size
        self.heard_s = 0.0
        self.cut_s = -math.inf


class Admission:
    """Bound what is on its way of one process's orders (its worker number), market by market.

    `target_s` is how long an order may take from here to its event. While there is much on its
    way, `demand` has events heard at once.
    """

    def __init__(
        self,
        *,
        worker: int,
        topology: Topology,
        target_s: float,
        demand: Demand,
        clock_s: Callable[[], float] = time.monotonic,
    ) -> None:
        self._worker = worker
        self._target_s = target_s
        self._demand = demand
        self._clock_s = clock_s
        markets = max(len(topology), 1)
        self._windows = {market.market_id: _Window(_WINDOW_AT_FIRST) for market in topology}
        self._window_min = float(max(_WINDOW_MIN, _ALL_MIN // markets))
        self._on_their_way = 0
        self._filling: set[int] = set()
        self._listening = False

    @property
    def on_their_way(self) -> int:
        """Return how many orders of this process have no event yet."""
        return self._on_their_way

    def check(self, market: Market) -> None:
        """Raise where an order of this market would have to wait too long."""
        window = self._windows[market.market_id]
        if len(window.sent_s) < window.size:
            return
        if self._clock_s() - max(window.heard_s, next(iter(window.sent_s.values()))) > _SILENT_S:
            return
        raise UnavailableError(
            "MARKET_BUSY",
            f"More orders of {market.pair} than it takes; try again.",
            retry_after_s=1,
        )

    def sent(self, market: Market, order_ids: Iterable[int]) -> None:
        """Note orders that are about to be written to the log."""
        window, now_s = self._windows[market.market_id], self._clock_s()
        before = len(window.sent_s)
        for order_id in order_ids:
            window.sent_s[order_id] = now_s
        # Of a market that is silent the oldest are forgotten: they tell nothing any more.
        while len(window.sent_s) > _KEPT_MAX:
            window.sent_s.popitem(last=False)
        self._changed(market.market_id, len(window.sent_s) - before)

    def not_sent(self, market: Market, order_ids: Iterable[int]) -> None:
        """Take back orders that the log has not."""
        window = self._windows[market.market_id]
        gone = sum(window.sent_s.pop(order_id, None) is not None for order_id in order_ids)
        self._changed(market.market_id, -gone)

    def take(self, market_id: int, events: RecordArray, *, rested_s: float = 0.0) -> None:
        """Learn from the events that answer own orders how long they took.

        They may have been there for `rested_s` already, while nobody looked.
        """
        window = self._windows[market_id]
        if not window.sent_s or not len(events):
            return
        command_ids = events["command_id"]
        own = ((events["flags"] & Flag.LAST) != 0) & (
            (command_ids >> COUNTER_BITS) & (WORKERS - 1) == self._worker
        )
        before = len(window.sent_s)
        times_s = [
            sent_s
            for order_id in command_ids[own].tolist()
            if (sent_s := window.sent_s.pop(order_id, None)) is not None
        ]
        if times_s:
            took_s = self._clock_s() - times_s[-1] - rested_s
            self._learn(window, took_s=took_s, sent_s=times_s[-1], before=before)
            _forget_lost(window, before_s=times_s[-1] - _LOST_S)
            self._changed(market_id, len(window.sent_s) - before)

    def forget(self, market_id: int) -> None:
        """Forget what is on its way to a market, as events were missed."""
        window = self._windows[market_id]
        gone = len(window.sent_s)
        window.sent_s.clear()
        self._changed(market_id, -gone)

    def _learn(self, window: _Window, *, took_s: float, sent_s: float, before: int) -> None:
        """Fit a window to what the newest order heard of took, of `before` on their way."""
        now_s = self._clock_s()
        window.heard_s = now_s
        if took_s <= self._target_s:
            if before >= window.size / 2:
                careful = now_s - window.cut_s < _CAREFUL_S
                heard = before - len(window.sent_s)
                growth = heard * (_GROWTH if careful else _GROWTH_AT_FIRST)
                window.size = min(window.size + growth, _WINDOW_MAX)
        # Orders that were sent before the last cut tell of the time before it, and where there are
        # few it is not their number that made them slow.
        elif sent_s > window.cut_s and before > self._window_min:
            share = max(self._target_s / took_s, _SHRINK_MIN)
            window.size = max(min(window.size, before) * share, self._window_min)
            window.cut_s = now_s

    def _changed(self, market_id: int, difference: int) -> None:
        self._on_their_way += difference
        window = self._windows[market_id]
        if len(window.sent_s) >= window.size / 2:
            self._filling.add(market_id)
        elif len(window.sent_s) < window.size / 4:
            self._filling.discard(market_id)
        if not self._listening and (self._filling or self.on_their_way >= _LISTEN):
            self._listening = True
            self._demand.begin()
        elif self._listening and not self._filling and self.on_their_way < _LISTEN_NO_MORE:
            self._listening = False
            self._demand.end()


def _forget_lost(window: _Window, *, before_s: float) -> None:
    """Forget what was sent before a moment: the log keeps the order, so it is not in it."""
    while window.sent_s and next(iter(window.sent_s.values())) < before_s:
        window.sent_s.popitem(last=False)
