"""One pair's `trades.executed`: what `orders.updated` holds of trades, in larger pieces, later."""

import asyncio
from collections import deque
from collections.abc import Callable
from contextlib import aclosing, suppress

import structlog

from actors.book.market import Market
from actors.log.after import records_after
from actors.log.ports import EventSink, LogReader
from actors.platform.errors import LogError
from actors.platform.topology import TRADES_TOPIC
from actors.router.records import EVENTS_PER_RECORD, EventBatch, chain, of_record
from actors.router.sending import RecordSender

_log = structlog.get_logger(__name__)
WRITE_EVERY_S = 0.2
_PAUSE_S = 1.0
# In trades, a batch counting as one more: less than four megabytes of a pair, and one batch.
_WAITING_MAX = 4 * EVENTS_PER_RECORD
# So many events without a trade are put down by a record without events, or the next router would
# have to read them all to know that there was none.
_QUIET_SEQUENCES = 10_000


class TradeLog:
    """Write the trades of what has been published, complete and in order.

    A batch is offered when `orders.updated` holds it. What memory does not hold, because a router
    died, because another one published it or because too much waits, is read again from
    `orders.updated`: so this topic never holds what that one does not, and never holds it up.
    """

    def __init__(
        self,
        *,
        market: Market,
        partition: int,
        sink: EventSink,
        events: Callable[[], LogReader],
    ) -> None:
        self._market = market
        self._partition = partition
        self._sender = RecordSender(TRADES_TOPIC, market=market, sink=sink)
        self._events = events
        # Up to here nothing of `orders.updated` has to be looked at again, and up to there it goes.
        self._reached = 0
        self._published = 0
        self._waiting: deque[EventBatch] = deque()
        self._waiting_size = 0
        # What has been looked at and is not written yet.
        self._piece: list[EventBatch] = []
        self._stale = asyncio.Event()
        self._full = asyncio.Event()

    def learn(self, *, trades_sequence: int = 0, events_sequence: int = 0) -> None:
        """Note up to which sequences the two topics have been found to reach."""
        if trades_sequence > self._reached:
            self._reached = trades_sequence
            self._piece.clear()
        self._published = max(self._published, events_sequence)
        if self._reached < self._published:
            self._stale.set()

    def offer(self, batch: EventBatch) -> int:
        """Take the trades of a batch that is published; return how many it has."""
        trades = batch.trades()
        self._published = max(self._published, batch.last_sequence)
        if self._waiting_size >= _WAITING_MAX:
            self._waiting.clear()
            self._waiting_size = 0
        self._waiting.append(trades)
        self._waiting_size += _size(trades)
        self._stale.set()
        if self._waiting_size >= EVENTS_PER_RECORD:
            self._full.set()
        return len(trades.events)

    async def run(self) -> None:
        """Write for ever, all pairs of a process at the same moments: they share a request then.

        Who has a whole record waits for no moment.
        """
        while True:
            await self._stale.wait()
            with suppress(TimeoutError):
                async with asyncio.timeout(WRITE_EVERY_S - _now_s() % WRITE_EVERY_S):
                    await self._full.wait()
            try:
                await self.write()
            except LogError as error:
                _log.warning("trades_not_written", pair=self._market.pair, why=str(error))
                self._stale.set()
                await asyncio.sleep(_PAUSE_S)

    async def write(self) -> None:
        """Write the trades of all that is published. Raises LogError."""
        self._stale.clear()
        self._full.clear()
        await self._write_waiting()
        while self._reached < self._published:
            await self._write_from_log()
            await self._write_waiting()

    async def _write_waiting(self) -> None:
        waiting = self._waiting
        while waiting and waiting[0].first_sequence <= self._reached + 1:
            batch = waiting.popleft()
            self._waiting_size -= _size(batch)
            self._add(batch)
        await self._put()

    async def _write_from_log(self) -> None:
        """Write what memory does not hold; it may have been trimmed from the log meanwhile."""
        published, reader = self._published, self._events()
        try:
            async with aclosing(
                records_after(
                    reader,
                    partition=self._partition,
                    market=self._market,
                    sequence=self._reached,
                )
            ) as records:
                async for record in records:
                    self._add(of_record(record).trades())
                    if sum(map(_size, self._piece)) > EVENTS_PER_RECORD:
                        await self._put()
        finally:
            await reader.stop()
        if self._reached < published:
            _log.warning("events_not_in_log", pair=self._market.pair, sequence=self._reached)
            self._reached = published

    def _add(self, batch: EventBatch) -> None:
        if batch.last_sequence > self._reached:
            self._piece.append(batch.after(self._reached))
            self._reached = batch.last_sequence

    async def _put(self) -> None:
        if not self._piece:
            return
        whole = chain(self._piece)
        if len(whole.events):
            await self._sender.send(whole.encode())
            self._piece.clear()
        elif whole.last_sequence - whole.first_sequence + 1 >= _QUIET_SEQUENCES:
            await self._sender.send([whole.encode_quiet()])
            self._piece.clear()
        else:
            self._piece = [whole]


def _size(batch: EventBatch) -> int:
    return 1 + len(batch.events)


def _now_s() -> float:
    return asyncio.get_running_loop().time()
