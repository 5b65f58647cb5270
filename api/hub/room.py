"""One pair's room: what happens is encoded once and handed to every client that follows it."""

import asyncio
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass

from actors.book.records import RecordArray
from actors.platform.messages import Candle, DepthChange, DepthSnapshot
from analytics.intervals import Interval
from analytics.messages import LiveCandle
from api.exchange.decimals import MarketDecimals
from api.hub.clients import Client, Key
from api.hub.messages import BookUpdates, Feed, candle_update, depth_update
from api.hub.packets import EventPacket, event_packet
from api.hub.parts import Parts
from api.hub.windows import LiveWindows

BOOK_INTERVAL_S = 0.1
# A snapshot may overtake changes that are still on their way from the same router.
CHANGES_LATE_S = 1.0
TOP_LEVELS = 50
# A window is opened by the clock only when trades of the one before can hardly be on their way.
ROLL_GRACE_S = 2
_SECONDS_HEARD = 60


@dataclass(frozen=True, slots=True)
class Subscription:
    """How a client follows a room."""

    client: Client
    feed: Feed
    interval: Interval


class Room:
    """The clients that follow a pair; `cut` is called with those whose queue has overflowed.

    `drained` is called when the events that had to wait have been sent for the better part.
    """

    def __init__(
        self,
        units: MarketDecimals,
        *,
        cut: Callable[[Client], None],
        drained: Callable[[], None],
    ) -> None:
        self.units = units
        self._cut = cut
        self._subscriptions: dict[str, Subscription] = {}
        self._parts = Parts(units, clients=self._clients, cut=cut, drained=drained)
        self._books = BookUpdates(units)
        self._top: DepthSnapshot | None = None
        self._top_sent_s = 0.0
        self._top_due: asyncio.TimerHandle | None = None
        self._last_change_id = -1
        self._gap_due: asyncio.TimerHandle | None = None
        self._windows: dict[Interval, LiveWindows] = {}
        # Followed by somebody before the market's first trade.
        self._untraded: set[Interval] = set()
        self._seconds: dict[int, Candle] = {}
        # From here on seconds may have been missed: until they have come no window is told.
        self.missed_since_s: int | None = None

    def __len__(self) -> int:
        return len(self._subscriptions)

    def __contains__(self, sid: str) -> bool:
        return sid in self._subscriptions

    @property
    def has_depth(self) -> bool:
        """Say whether anybody follows every change of the depth."""
        return any(one.feed == "depth" for one in self._subscriptions.values())

    @property
    def intervals(self) -> set[Interval]:
        """Return the intervals that clients follow."""
        return {one.interval for one in self._subscriptions.values()}

    @property
    def unseeded(self) -> set[Interval]:
        """Return the followed intervals whose open window is not known."""
        return self.intervals - self._windows.keys()

    @property
    def heard_s(self) -> int | None:
        """Return the time up to which every interval has its seconds; None without a window."""
        return min((windows.heard_s for windows in self._windows.values()), default=None)

    @property
    def knows_depth(self) -> bool:
        return self._top is not None

    def add(self, subscription: Subscription) -> None:
        """Let a client in, or change how it follows; it is sent the book and candle as they are."""
        client = subscription.client
        # A window that was told has to be told to its end.
        client.forget(self.units, but=subscription.interval.value)
        self._subscriptions[client.sid] = subscription
        if subscription.feed == "book" and self._top is not None:
            client.send_newest(self._key("book"), self._book_packet(self._top))
        windows = self._windows.get(subscription.interval)
        if windows is not None:
            self._send_candles([subscription], subscription.interval, [windows.newest])

    def remove(self, sid: str) -> None:
        """Let a client go."""
        subscription = self._subscriptions.pop(sid, None)
        if subscription is not None:
            subscription.client.forget(self.units)
        for interval in self._windows.keys() - self.intervals:
            del self._windows[interval]
        self._untraded &= self.intervals

    def close(self) -> None:
        """Drop what is still to be sent."""
        for timer in (self._top_due, self._gap_due):
            if timer is not None:
                timer.cancel()
        self._top_due = self._gap_due = None
        self._parts.close()

    def on_events(self, records: Sequence[RecordArray]) -> bool:
        """Send the trades and orders of records to everybody, in order of sequence.

        False where too many have to wait: no more should come before `drained` is called.
        """
        return self._parts.send(records)

    def check_health(self) -> None:
        """Raise RuntimeError where events could not be sent."""
        if self._parts.error is not None:
            raise RuntimeError(f"{self.units.market.pair} has ended: {self._parts.error!r}")

    def _clients(self) -> list[Client]:
        return [one.client for one in self._subscriptions.values()]

    def on_snapshot(self, depth: DepthSnapshot) -> None:
        """Take the top of the book; it goes out at most every `BOOK_INTERVAL_S`."""
        top = self._top
        if top is not None and (depth.update_id, depth.sequence) <= (top.update_id, top.sequence):
            return
        self._top = depth
        if depth.update_id > self._last_change_id and self._gap_due is None:
            loop = asyncio.get_running_loop()
            self._gap_due = loop.call_later(CHANGES_LATE_S, self._check_changes, depth)
        self._schedule_top()

    def on_change(self, change: DepthChange) -> None:
        """Send a change of the depth to those who follow every change."""
        if change.last_update_id <= self._last_change_id:
            return
        self._last_change_id = change.last_update_id
        followers = [one for one in self._subscriptions.values() if one.feed == "depth"]
        if not followers:
            return
        packet = event_packet("orderbook_update", depth_update(self.units, change))
        for follower in followers:
            if not follower.client.send_depth(self.units, change, packet):
                self._cut(follower.client)

    def on_seconds(self, seconds: Collection[Candle]) -> None:
        """Take changed seconds and tell every window that they change or open, oldest first."""
        for second in seconds:
            known = self._seconds.get(second.open_time_s)
            if known is None or known.last_sequence < second.last_sequence:
                self._seconds[second.open_time_s] = second
        if self.missed_since_s is None:
            for interval in list(self._untraded):
                self._open_first(interval)
            self._tell(seconds)
        for open_time_s in sorted(self._seconds)[:-_SECONDS_HEARD]:
            del self._seconds[open_time_s]

    def seed(self, interval: Interval, live: LiveCandle | None, *, now_s: int) -> None:
        """Start an interval from what the candle actor says, and tell its open window.

        None says that nothing was ever traded: then the first trade that is heard opens it.
        """
        if interval in self._windows:
            return
        if live is None:
            self._untraded.add(interval)
            if self._open_first(interval):
                self._tell(self._seconds.values())
            return
        self._untraded.discard(interval)
        windows = self._windows[interval] = LiveWindows(interval, live, now_s=now_s)
        windows.apply(self._seconds.values())
        self._send_candles(self._followers(interval), interval, [windows.newest])

    def roll(self, now_s: int) -> None:
        """Open the windows that have begun without a trade."""
        for interval, windows in list(self._windows.items()):
            opened = windows.roll(now_s - ROLL_GRACE_S)
            self._send_candles(self._followers(interval), interval, opened)

    def doubt(self) -> None:
        """Take it that seconds may have been missed, the market's first trade among them."""
        self._untraded.clear()
        if self.missed_since_s is None:
            self.missed_since_s = self.heard_s

    def catch_up(self, seconds: Collection[Candle], *, whole: bool) -> None:
        """Take seconds that the candle actor holds; `whole` says that none are missing now."""
        self._tell(seconds)
        if whole:
            self.missed_since_s = None
            self._tell(self._seconds.values())

    def end(self) -> None:
        """Cut everybody: what was missed cannot be told any more."""
        for subscription in list(self._subscriptions.values()):
            self._cut(subscription.client)

    def _tell(self, seconds: Collection[Candle]) -> None:
        for interval, windows in list(self._windows.items()):
            changed = windows.apply(seconds)
            self._send_candles(self._followers(interval), interval, changed)

    def _open_first(self, interval: Interval) -> bool:
        """Open an interval with the market's first second; False before it is heard."""
        if not self._seconds:
            return False
        first = self._seconds[min(self._seconds)]
        self._untraded.discard(interval)
        windows = LiveWindows(interval, LiveCandle(first, first), now_s=first.open_time_s)
        self._windows[interval] = windows
        self._send_candles(self._followers(interval), interval, [windows.newest])
        return True

    def _schedule_top(self) -> None:
        if self._top_due is not None:
            return
        loop = asyncio.get_running_loop()
        wait_s = self._top_sent_s + BOOK_INTERVAL_S - loop.time()
        if wait_s <= 0:
            self._send_top()
        else:
            self._top_due = loop.call_later(wait_s, self._send_top)

    def _send_top(self) -> None:
        self._top_due = None
        self._top_sent_s = asyncio.get_running_loop().time()
        followers = [one for one in self._subscriptions.values() if one.feed == "book"]
        if self._top is None or not followers:
            return
        packet = self._book_packet(self._top)
        for follower in followers:
            follower.client.send_newest(self._key("book"), packet)

    def _check_changes(self, depth: DepthSnapshot) -> None:
        """Where changes that a snapshot held never came, name the next id: clients see the gap."""
        self._gap_due = None
        if self._last_change_id < depth.update_id:
            self.on_change(
                DepthChange(
                    market_id=depth.market_id,
                    sequence=depth.sequence,
                    previous_update_id=depth.update_id,
                    last_update_id=depth.update_id,
                    bids=[],
                    asks=[],
                )
            )

    def _send_candles(
        self, followers: Iterable[Subscription], interval: Interval, candles: Iterable[Candle]
    ) -> None:
        """Send windows, oldest first; only the newest state of the same window replaces one."""
        packets = [
            (
                self._key(interval.value, candle.open_time_s),
                event_packet("candle_update", candle_update(self.units, interval, candle)),
            )
            for candle in candles
        ]
        for follower in followers:
            for key, packet in packets:
                follower.client.send_newest(key, packet)
            if follower.client.lags_too_far:
                self._cut(follower.client)

    def _followers(self, interval: Interval) -> list[Subscription]:
        return [one for one in self._subscriptions.values() if one.interval is interval]

    def _book_packet(self, depth: DepthSnapshot) -> EventPacket:
        return event_packet("orderbook_update", self._books.of(depth))

    def _key(self, *what: str | int) -> Key:
        return (self.units.market.pair, *what)
