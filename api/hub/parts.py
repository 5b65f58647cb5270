"""A room's events on their way out: in parts, each encoded once and written to every client."""

import asyncio
from collections import deque
from collections.abc import Callable, Sequence

import structlog

from actors.book.records import EVENT_DTYPE, RecordArray, joined
from actors.book.vocabulary import EventKind
from api.exchange.decimals import MarketDecimals
from api.exchange.values import order_of_event, trade_of_event
from api.hub.clients import Client
from api.hub.packets import Batch, EventPacket, event_packet
from api.json.views import order_view, trade_view

_log = structlog.get_logger(__name__)

EVENTS_PER_PART = 16
# No client could keep more of one record in its queue: beyond this the older part is left out.
EVENTS_PER_RECORD_MAX = 2_000
# Where more wait than this, no more are taken from the log; 256 bytes an event.
EVENTS_WAITING_MAX = 2_000
STALL_S = 0.5
STALL_STEP_S = 0.01


class Parts:
    """Send events to all clients of a room, in order of sequence.

    A burst may be longer than any queue: it goes out in parts, and others wait a moment for a
    client that has no room for a part before the next one is sent, but only once until it has
    caught up. The first part goes out at once, within `send`; what waits, waits here.

    More than `EVENTS_WAITING_MAX` wait only as the rest of what one `send` has brought.
    """

    def __init__(
        self,
        units: MarketDecimals,
        *,
        clients: Callable[[], list[Client]],
        cut: Callable[[Client], None],
        drained: Callable[[], None],
    ) -> None:
        self._units = units
        self._clients = clients
        self._cut = cut
        self._drained = drained
        self._waiting: deque[RecordArray] = deque()
        self._is_full = False
        self._batch = Batch(())
        self._behind: list[Client] = []
        self._next: asyncio.Handle | None = None
        self.skipped_events = 0
        # What has kept a part from being sent, other than its clients.
        self.error: Exception | None = None

    def send(self, records: Sequence[RecordArray]) -> bool:
        """Send the trades and orders of records; False where too many wait, until `drained`."""
        shown = [part for record in records if len(part := self._shown(record))]
        if shown:
            self._waiting.append(shown[0] if len(shown) == 1 else joined(shown, EVENT_DTYPE))
        if self._next is None:
            self._send_part()
        self._is_full = sum(map(len, self._waiting)) > EVENTS_WAITING_MAX
        return not self._is_full

    def close(self) -> None:
        """Drop what waits."""
        if self._next is not None:
            self._next.cancel()
        self._next = None
        self._waiting.clear()
        self._behind = []
        self._is_full = False

    def _shown(self, events: RecordArray) -> RecordArray:
        kinds = events["kind"]
        shown: RecordArray = events[(kinds == EventKind.TRADE) | (kinds == EventKind.ORDER)]
        surplus = len(shown) - EVENTS_PER_RECORD_MAX
        if surplus <= 0:
            return shown
        self.skipped_events += surplus
        _log.warning("room_skips", pair=self._units.market.pair, skipped=self.skipped_events)
        return shown[surplus:]

    def _send_part(self) -> None:
        self._next = None
        if not self._waiting:
            return
        events = self._waiting.popleft()
        if len(events) > EVENTS_PER_PART:
            self._waiting.appendleft(events[EVENTS_PER_PART:])
        self._batch = Batch(self._packets(events[:EVENTS_PER_PART]))
        self._behind = [one for one in self._clients() if not one.send(self._batch)]
        loop = asyncio.get_running_loop()
        if self._behind:
            # First of all those who write to the clients may take what they were given.
            self._next = loop.call_soon(self._send_again)
        elif self._waiting:
            self._next = loop.call_soon(self._go_on)
        if self._is_full and sum(map(len, self._waiting)) <= EVENTS_WAITING_MAX // 2:
            self._is_full = False
            self._drained()

    def _send_again(self) -> None:
        """Send a part to those who had no room for it; cut those that take too long."""
        present = {id(one) for one in self._clients()}
        self._behind = [
            one for one in self._behind if id(one) in present and not one.send(self._batch)
        ]
        for client in self._behind:
            if client.stalled_s >= STALL_S:
                self._cut(client)
            client.stalled_s += STALL_STEP_S
        if self._behind:
            loop = asyncio.get_running_loop()
            self._next = loop.call_later(STALL_STEP_S, self._send_again)
        else:
            self._go_on()

    def _go_on(self) -> None:
        try:
            self._send_part()
        except Exception as error:
            self.error = error
            raise

    def _packets(self, events: RecordArray) -> list[EventPacket]:
        packets = []
        for event, kind in zip(events, events["kind"].tolist(), strict=True):
            if kind == EventKind.TRADE:
                trade = trade_view(self._units, trade_of_event(event))
                packets.append(event_packet("new_trade", trade))
            order = order_view(self._units, order_of_event(event))
            packets.append(event_packet("order_update", order))
        return packets
