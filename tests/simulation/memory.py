"""The log, the snapshots and the rows in memory: what survives every simulated crash."""

import asyncio
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import replace

from actors.book.codec import EventRecord, decode_events
from actors.book.market import Market
from actors.fold.ports import StoredSnapshot
from actors.follow.positions import MarketPosition
from actors.log.ports import Published
from actors.log.reader import LogReader, LogRecord
from actors.platform.errors import LogTimeoutError, PositionTakenError
from actors.platform.topology import EVENTS_TOPIC, TRADES_TOPIC, Topology
from actors.writer.intake import Batch
from actors.writer.rows import ORDER_STATE, Rows, rows_of
from actors.writer.store import OrderStore
from tests.simulation.network import Network

RECORDS_PER_READ = 3
SNAPSHOTS_KEPT = 2
_RENAMED = {"updated_us": "time_us"}


class MemoryLog:
    """The records of one market's partition in every topic."""

    def __init__(self) -> None:
        self.topics: dict[str, list[bytes]] = defaultdict(list)
        self._arrived: dict[str, asyncio.Event] = defaultdict(asyncio.Event)

    def append(self, topic: str, value: bytes) -> None:
        """Append a record and wake the topic's readers."""
        self.topics[topic].append(value)
        self._arrived.pop(topic, asyncio.Event()).set()

    async def wait(self, topic: str, timeout_s: float) -> None:
        """Return at the next record or after `timeout_s`."""
        try:
            async with asyncio.timeout(timeout_s):
                await self._arrived[topic].wait()
        except TimeoutError:
            return


class MemoryReader(LogReader):
    """Read one topic of a `MemoryLog`, a few records at a time."""

    def __init__(self, network: Network, log: MemoryLog, topic: str) -> None:
        self._network = network
        self._log = log
        self._topic = topic
        self._positions = {}

    async def start(self, positions: Mapping[int, int | None]) -> None:
        """Stand at these offsets; None is the end."""
        end = len(self._log.topics[self._topic])
        self._positions = {n: end if at is None else at for n, at in positions.items()}

    async def stop(self) -> None:
        """Do nothing: there is no connection."""

    def seek(self, partition: int, offset: int) -> None:
        """Read on from `offset`."""
        self._positions[partition] = offset

    async def read(
        self, *, timeout_ms: int, max_records: int | None = None
    ) -> dict[int, list[LogRecord]]:
        """Return the next records; nothing after a timeout, a lost fetch or a seek meanwhile."""
        (partition, offset), records = next(iter(self._positions.items())), self._log.topics
        if offset >= len(records[self._topic]):
            await self._log.wait(self._topic, timeout_ms / 1_000)
        if offset >= len(records[self._topic]):
            return {}
        bound = min(max_records or RECORDS_PER_READ, RECORDS_PER_READ)
        try:
            values = await self._network.carry(
                f"read {self._topic} from {offset}",
                lambda: records[self._topic][offset : offset + bound],
                lost=LogTimeoutError("lost"),
            )
        except LogTimeoutError:
            return {}
        if self._positions[partition] != offset:
            return {}
        self._positions[partition] = offset + len(values)
        return {partition: [LogRecord(offset + n, value) for n, value in enumerate(values)]}

    async def end_offsets(self) -> dict[int, int]:
        """Return the offset after the last record."""
        return {number: len(self._log.topics[self._topic]) for number in self._positions}

    async def first_offsets(self) -> dict[int, int]:
        """Return 0: nothing is ever trimmed."""
        return dict.fromkeys(self._positions, 0)

    def records_behind(self) -> dict[int, int]:
        """Return how many records are unread."""
        end = len(self._log.topics[self._topic])
        return {number: end - offset for number, offset in self._positions.items()}


class MemorySink:
    """The events' topics, as `EventSink` asks for them."""

    def __init__(self, network: Network, log: MemoryLog) -> None:
        self._network = network
        self._log = log

    async def publish(self, topic: str, market: Market, record: bytes) -> None:
        """Append a record."""
        await self._network.carry(
            f"publish to {topic}",
            lambda: self._log.append(topic, record),
            lost=LogTimeoutError("lost"),
        )

    async def published(self, market: Market) -> Published:
        """Return the highest sequences of both topics."""
        return await self._network.carry("read the ends", self._ends, lost=LogTimeoutError("lost"))

    def _ends(self) -> Published:
        last_events, last_trades = self._last(EVENTS_TOPIC), self._last(TRADES_TOPIC)
        return Published(
            events_sequence=last_events.last_sequence if last_events else 0,
            trades_sequence=last_trades.last_sequence if last_trades else 0,
            last_events=last_events,
        )

    def _last(self, topic: str) -> EventRecord | None:
        records = [decode_events(value) for value in self._log.topics[topic]]
        return max(records, key=lambda record: record.last_sequence, default=None)


class MemorySnapshots:
    """The newest snapshots of one pair; `highest_offset` is the newest that was ever kept."""

    begins_empty = True

    def __init__(self) -> None:
        self.kept: list[StoredSnapshot] = []
        self.highest_offset = 0

    def save(self, snapshot: StoredSnapshot) -> None:
        """Keep a snapshot and drop those that are too many."""
        others = [one for one in self.kept if one.next_offset != snapshot.next_offset]
        kept = replace(snapshot, state=bytes(snapshot.state))
        newest_first = sorted([kept, *others], key=lambda one: -one.next_offset)
        self.kept = newest_first[:SNAPSHOTS_KEPT]
        self.highest_offset = max(self.highest_offset, snapshot.next_offset)

    def load(self) -> Iterator[StoredSnapshot]:
        """Yield the snapshots, newest first."""
        yield from list(self.kept)

    def tear(self) -> None:
        """Cut the end off the newest snapshot."""
        if self.kept:
            newest = self.kept[0]
            self.kept[0] = replace(newest, state=newest.state[:-9])


class MemoryRows:
    """Tables and positions: a commit is whole or did not happen."""

    def __init__(self) -> None:
        self.position: MarketPosition | None = None
        self.trades: dict[int, tuple[int, ...]] = {}
        self.orders: dict[int, tuple[int, ...]] = {}
        self.rewritten_trades: list[int] = []

    def move(self, batch: Batch) -> None:
        """Move the position. Raises PositionTakenError where it is not the batch's."""
        if self.position != batch.before[0]:
            raise PositionTakenError("another writer has moved the position")
        self.position = batch.after[0]

    def write(self, rows: Rows) -> None:
        """Write a batch's rows."""
        for trade in rows.trades:
            trade_id = int(trade["trade_id"])
            if trade_id in self.trades:
                self.rewritten_trades.append(trade_id)
            row = ("sequence", "price_ticks", "trade_lots", "order_id", "related_order_id")
            self.trades[trade_id] = tuple(int(trade[name]) for name in row)
        for images in (rows.inserts, rows.changes):
            for image in images:
                row_of = [int(image[_RENAMED.get(name, name)]) for name in ORDER_STATE]
                self.orders[int(image["order_id"])] = tuple(row_of)


class MemoryOrderStore(OrderStore):
    """The writer's store over `MemoryRows`."""

    def __init__(self, network: Network, rows: MemoryRows) -> None:
        self._network = network
        self._rows = rows

    async def close(self) -> None:
        """Do nothing: there is no connection."""

    async def positions(self, topology: Topology) -> tuple[MarketPosition, ...]:
        """Return the stored position."""
        first = MarketPosition(market_id=next(iter(topology)).market_id)
        if self._rows.position is None:
            self._rows.position = first
        position = self._rows.position
        return await self._network.carry(
            "read the writer's position", lambda: (position,), lost=ConnectionError("lost")
        )

    async def write(self, batch: Batch) -> Rows:
        """Commit rows and position together."""
        rows = rows_of(batch.events)
        return await self._network.carry(
            "commit rows", lambda: self._commit(batch, rows), lost=ConnectionError("lost")
        )

    def _commit(self, batch: Batch, rows: Rows) -> Rows:
        self._rows.move(batch)
        self._rows.write(rows)
        return rows
