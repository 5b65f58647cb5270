"""The log, the snapshots and the rows in memory: what survives every simulated crash."""

from collections.abc import Iterator, Mapping
from dataclasses import replace

from actors.book.market import Market
from actors.fold.ports import StoredSnapshot
from actors.follow.positions import MarketPosition
from actors.log.memory import MemoryLog, MemoryReader, MemorySink
from actors.log.ports import LogRecord, Published
from actors.platform.errors import LogTimeoutError, PositionTakenError
from actors.platform.topology import Topology
from actors.writer.intake import Batch
from actors.writer.rows import ORDER_STATE, Rows, rows_of
from actors.writer.store import OrderStore
from tests.simulation.network import Network

RECORDS_PER_READ = 3
SNAPSHOTS_KEPT = 2
_RENAMED = {"updated_us": "time_us"}


class SimulatedLog(MemoryLog):
    """The product's log in memory behind the network: one market's partition of every topic."""

    def __init__(self, network: Network, *, partition: int) -> None:
        super().__init__()
        self._network = network
        self.partition = partition

    def topic(self, topic: str) -> list[bytes]:
        """Return the market's records of a topic."""
        return self.values(topic, self.partition)

    def sink(self, *, topology: Topology, client_id: str) -> "SimulatedSink":
        """Return a sink behind the network."""
        return SimulatedSink(self._network, self, topology)

    def reader(
        self, *, topic: str, client_id: str, wait_ms: int = 500, ahead: bool = True
    ) -> "SimulatedReader":
        """Return a reader behind the network."""
        return SimulatedReader(self._network, self, topic)


class SimulatedReader(MemoryReader):
    """Read a few records at a time; a lost fetch brings nothing."""

    def __init__(self, network: Network, log: MemoryLog, topic: str) -> None:
        super().__init__(log, topic, records_per_read=RECORDS_PER_READ)
        self._network = network

    async def _fetch(
        self, positions: Mapping[int, int], *, max_records: int | None
    ) -> Mapping[int, list[LogRecord]]:
        try:
            return await self._network.carry(
                f"read {self._topic} from {next(iter(positions.values()))}",
                lambda: self._records(positions, max_records=max_records),
                lost=LogTimeoutError("lost"),
            )
        except LogTimeoutError:
            return {}


class SimulatedSink(MemorySink):
    """Publish and read the ends over the network."""

    def __init__(self, network: Network, log: MemoryLog, topology: Topology) -> None:
        super().__init__(log, topology)
        self._network = network

    async def publish(self, topic: str, market: Market, record: bytes) -> None:
        """Append a record."""
        await self._network.carry(
            f"publish to {topic}",
            lambda: self._append(topic, market, record),
            lost=LogTimeoutError("lost"),
        )

    async def published(self, market: Market) -> Published:
        """Return the highest sequences of both topics."""
        return await self._network.carry(
            "read the ends", lambda: self._published(market), lost=LogTimeoutError("lost")
        )


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
