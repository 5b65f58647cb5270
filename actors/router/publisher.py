"""Publishing one pair's events: in order, without a hole, and not what is there already."""

import asyncio
from collections.abc import Iterable

import structlog
from tenacity import AsyncRetrying, RetryCallState, retry_if_exception_type, wait_exponential

from actors.book.market import Market
from actors.log.ports import EventSink
from actors.platform.errors import LogError
from actors.platform.topology import EVENTS_TOPIC, TRADES_TOPIC
from actors.router.records import EVENTS_PER_RECORD, EventBatch, of_record

_log = structlog.get_logger(__name__)


class PairPublisher:
    """Write batches to `trades.executed` and `orders.updated`, one record a topic at a time.

    Each record waits for the one before it, and is sent until Kafka has it: a record that failed
    between two that did not would be a hole, for consumers drop what comes late. A batch's trades
    go first, so whatever `orders.updated` holds is complete in `trades.executed` as well. Where
    each topic takes one record, both go at once: what a crash may then leave undone are trades of
    the very last record of events, and `learn` writes them.
    """

    def __init__(self, *, market: Market, sink: EventSink) -> None:
        self._market = market
        self._sink = sink
        self._known = False
        self._trades_sequence = 0
        self.sequence = 0

    async def learn(self, *, again: bool = False) -> None:
        """Read from Kafka how far the pair has been published. Raises LogError."""
        if self._known and not again:
            return
        published = await self._sink.published(self._market)
        self._trades_sequence = max(self._trades_sequence, published.trades_sequence)
        if published.last_events is not None:
            await self._publish_trades(of_record(published.last_events))
        self.sequence = max(self.sequence, published.events_sequence)
        self._known = True

    def assume(self, sequence: int) -> None:
        """Take events up to `sequence` as published: a snapshot holds only such."""
        self.sequence = max(self.sequence, sequence)
        self._trades_sequence = max(self._trades_sequence, sequence)

    async def publish(self, batch: EventBatch) -> int:
        """Write what of the batch is not there yet; return how many trades were written."""
        if len(batch.events) <= EVENTS_PER_RECORD:
            trades, _ = await asyncio.gather(
                self._publish_trades(batch), self._publish_events(batch)
            )
        else:
            trades = await self._publish_trades(batch)
            await self._publish_events(batch)
        return trades

    async def _publish_trades(self, batch: EventBatch) -> int:
        trades = batch.after(self._trades_sequence).trades()
        await self._send(TRADES_TOPIC, trades.encode())
        self._trades_sequence = max(self._trades_sequence, batch.last_sequence)
        return len(trades.events)

    async def _publish_events(self, batch: EventBatch) -> None:
        rest = batch.after(self.sequence)
        if len(rest.events):
            await self._send(EVENTS_TOPIC, rest.encode())
        elif batch.last_sequence >= self.sequence:
            # A clock that nothing waited for: readers of the log's end wait for its offset.
            await self._send(EVENTS_TOPIC, [batch.encode_position()])
        self.sequence = max(self.sequence, batch.last_sequence)

    async def _send(self, topic: str, records: Iterable[bytes]) -> None:
        for record in records:
            async for attempt in AsyncRetrying(
                wait=wait_exponential(multiplier=0.05, max=1.0),
                retry=retry_if_exception_type(LogError),
                before_sleep=self._note_retry,
            ):
                with attempt:
                    await self._sink.publish(topic, self._market, record)

    def _note_retry(self, state: RetryCallState) -> None:
        _log.warning(
            "publish_repeated",
            pair=self._market.pair,
            sequence=self.sequence,
            attempt=state.attempt_number,
            why=str(state.outcome.exception()) if state.outcome else "",
        )
