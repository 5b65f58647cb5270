"""Way of one market into a new epoch: the book that its log begins with, and rows that agree.

Where `orders.new` still holds what the market needs, its log is folded to the end, and nothing is
lost at all. Otherwise the book is the newest that anybody kept: the rows of Postgres, or a snapshot
where that is as new.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import asyncpg
import numpy as np

from actors.book import compiled_snapshot
from actors.book.compiled_snapshot import Parts
from actors.book.errors import UnreadableSnapshotError
from actors.book.market import Market
from actors.book.reasons import Reason
from actors.book.records import EVENT_DTYPE, RecordArray
from actors.book.vocabulary import EventKind, OrderStatus
from actors.fold.ports import StoredSnapshot
from actors.follow.positions import MarketPosition
from actors.log.events import KafkaEventSink
from actors.log.reader import KafkaLogReader
from actors.pair.actor import PairActor
from actors.pair.messages import RangeApplied
from actors.platform.topology import COMMANDS_TOPIC, Topology
from actors.writer.intake import Batch
from actors.writer.store import OrderStore
from analytics.ports import CONSUMER as CANDLES
from cluster.data.epochs.findings import Stored
from cluster.data.epochs.log import CLIENT_ID, LogState
from cluster.data.epochs.rows import book_of_rows, last_price_ticks, open_rows
from cluster.data.patience import patiently
from cluster.plan import Platform

_READ_TIMEOUT_MS = 1_000
_Known = tuple[StoredSnapshot, Parts]


@dataclass(frozen=True, kw_only=True, slots=True)
class Carried:
    """The book with which a market's log begins; it is at `sequence` and in every row."""

    market: Market
    snapshot: StoredSnapshot
    sequence: int


class Carrier:
    """Carry markets over, one after the other; `platform` is of the epoch that ends."""

    def __init__(
        self,
        platform: Platform,
        *,
        connection: asyncpg.Connection,
        rows: OrderStore,
        sink: KafkaEventSink,
        log: LogState,
    ) -> None:
        self._platform = platform
        self._connection = connection
        self._rows = rows
        self._sink = sink
        self._log = log

    async def carry(self, stored: Stored, *, log_is_whole: bool) -> Carried:
        """Return the book of a market, after rows were written that it is ahead of.

        Raises LogError, OSError, TimeoutError and asyncpg's errors.
        """
        market = stored.market
        (position,) = await self._rows.positions(Topology((market,)))
        known = list(self._sound(market))
        if log_is_whole:
            snapshot = await self._folded(stored, position, known)
        else:
            snapshot = await self._kept(stored, position, known)
        parts = compiled_snapshot.parts(market, snapshot.state)
        published = await patiently(lambda: self._sink.published(market))
        counted = stored.positions.get(CANDLES)
        sequence = max(
            parts.sequence,
            position.last_sequence,
            counted.last_sequence if counted else 0,
            published.events_sequence,
            published.trades_sequence,
        )
        state = compiled_snapshot.assemble(market, parts._replace(sequence=sequence))
        return Carried(market=market, snapshot=replace(snapshot, state=state), sequence=sequence)

    def _sound(self, market: Market) -> Iterator[_Known]:
        """Yield the snapshots that can be read, newest first."""
        for snapshot in self._platform.snapshots_of(market).load():
            try:
                yield snapshot, compiled_snapshot.parts(market, snapshot.state)
            except UnreadableSnapshotError:
                continue

    async def _folded(
        self, stored: Stored, position: MarketPosition, known: list[_Known]
    ) -> StoredSnapshot:
        """Fold the log to its end, from a book that no row is behind where there is one."""
        market = stored.market
        extent = self._log.extents[COMMANDS_TOPIC][stored.partition]
        usable = [one for one in known if one[0].next_offset >= extent.first]
        start = next((one for one in usable if one[1].sequence <= position.last_sequence), None)
        if start is None and not (self._platform.epoch == 1 and extent.first == 0):
            if not usable:
                return await self._kept(stored, position, known)
            start = usable[0]
            position = await self._bring_rows_to(market, position, start[1])
        actor = PairActor(market, _One(start[0] if start else None), self._platform.limits)
        reader = KafkaLogReader(
            bootstrap=self._platform.servers.kafka_bootstrap,
            topic=COMMANDS_TOPIC,
            client_id=CLIENT_ID,
        )
        await patiently(lambda: reader.start({stored.partition: actor.position().next_offset}))
        try:
            while (first := actor.position().next_offset) < extent.end:
                arrived = await patiently(lambda: reader.read(timeout_ms=_READ_TIMEOUT_MS))
                if records := arrived.get(stored.partition):
                    values = [record.value for record in records]
                    applied = actor.apply(first, records[-1].offset + 1, values)
                    position = await self._write(position, applied)
        finally:
            await reader.stop()
        return actor.export()

    async def _write(self, position: MarketPosition, applied: object) -> MarketPosition:
        if not isinstance(applied, RangeApplied):
            raise TypeError("a range that was read in order was not applied")
        events = np.frombuffer(applied.events, EVENT_DTYPE)
        fresh = events[events["sequence"] > position.last_sequence]
        after = replace(
            position,
            last_sequence=max(position.last_sequence, applied.last_sequence),
            commands_offset=max(position.commands_offset, applied.next_offset),
        )
        if after != position:
            await self._rows.write(Batch(events=fresh, before=(position,), after=(after,)))
        return after

    async def _kept(
        self, stored: Stored, position: MarketPosition, known: list[_Known]
    ) -> StoredSnapshot:
        """Return the newest book that was kept, to stand at the end of the log as it is now."""
        market = stored.market
        end = self._log.extents[COMMANDS_TOPIC][stored.partition].end
        newest = max(known, key=lambda one: one[1].sequence, default=None)
        if newest is not None and newest[1].sequence >= position.last_sequence:
            if newest[1].sequence > position.last_sequence:
                await self._bring_rows_to(market, position, newest[1])
            return replace(newest[0], next_offset=end)
        parts = await book_of_rows(
            self._connection,
            market,
            sequence=position.last_sequence,
            earlier=newest[1] if newest else None,
        )
        return StoredSnapshot(
            next_offset=end,
            commands=newest[0].commands if newest else 0,
            last_price_ticks=await last_price_ticks(self._connection, market),
            state=compiled_snapshot.assemble(market, parts),
        )

    async def _bring_rows_to(
        self, market: Market, position: MarketPosition, book: Parts
    ) -> MarketPosition:
        """Write the rows of a book that is ahead of them; what happened between is not known.

        Orders that are open in a row and not in the book have ended, nobody knows how.
        """
        images = book.orders.copy()
        images["kind"] = EventKind.ORDER
        partly = images["filled_lots"] > 0
        images["status"] = np.where(partly, OrderStatus.PARTIALLY_FILLED, OrderStatus.OPEN)
        images["trade_id"] = images["trade_lots"] = 0
        images["market_id"] = market.market_id
        ended = await open_rows(self._connection, market)
        ended = ended[~np.isin(ended["order_id"], images["order_id"])]
        ended["status"] = OrderStatus.CANCELLED
        ended["reason"] = Reason.LOST_WITH_LOG
        events: RecordArray = np.concatenate([images, ended])
        events["sequence"] = book.sequence
        events["time_us"] = book.time_us
        after = replace(position, last_sequence=book.sequence)
        await self._rows.write(Batch(events=events, before=(position,), after=(after,)))
        return after


class _One:
    """A `SnapshotStore` of one snapshot or none, which keeps nothing."""

    begins_empty = True

    def __init__(self, snapshot: StoredSnapshot | None) -> None:
        self._snapshot = snapshot

    def save(self, snapshot: StoredSnapshot) -> None:
        """Do not keep it."""

    def load(self) -> Iterator[StoredSnapshot]:
        """Yield the snapshot."""
        if self._snapshot is not None:
            yield self._snapshot
