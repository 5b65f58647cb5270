"""Publishing one pair's events: in order, without a hole, and not what is there already."""

from actors.book.market import Market
from actors.log.ports import EventSink
from actors.platform.topology import EVENTS_TOPIC
from actors.router.records import EventBatch, of_record
from actors.router.sending import RecordSender
from actors.router.trades import TradeLog


class PairPublisher:
    """Write batches to `orders.updated`, and tell the pair's `TradeLog` of them.

    `trades.executed` follows: what `orders.updated` holds can always be written there later.
    """

    def __init__(self, *, market: Market, sink: EventSink, trades: TradeLog) -> None:
        self._market = market
        self._sink = sink
        self._trades = trades
        self._sender = RecordSender(EVENTS_TOPIC, market=market, sink=sink)
        self._known = False
        self.sequence = 0

    async def learn(self, *, again: bool = False) -> None:
        """Read from Kafka how far the pair has been published. Raises LogError."""
        if self._known and not again:
            return
        published = await self._sink.published(self._market)
        self._trades.learn(
            trades_sequence=published.trades_sequence, events_sequence=published.events_sequence
        )
        if published.last_events is not None:
            self._trades.offer(of_record(published.last_events))
        self.sequence = max(self.sequence, published.events_sequence)
        self._known = True

    def assume(self, sequence: int) -> None:
        """Take events up to `sequence` as published: a snapshot holds only such."""
        self.sequence = max(self.sequence, sequence)
        self._trades.learn(events_sequence=sequence)

    async def publish(self, batch: EventBatch) -> int:
        """Write what of the batch is not there yet; return how many trades it has."""
        rest = batch.after(self.sequence)
        if len(rest.events):
            await self._sender.send(rest.encode())
            self.sequence = batch.last_sequence
            return self._trades.offer(rest)
        if batch.last_sequence >= self.sequence:
            # A clock that nothing waited for: readers of the log's end wait for its offset.
            await self._sender.send([batch.encode_position()])
        return 0
