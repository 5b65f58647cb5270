"""The loop of the followers over a log and rows in memory, in virtual time."""

import asyncio
from collections.abc import Callable, Coroutine, Mapping
from itertools import chain
from typing import Any

import numpy as np
import pytest

from actors.book.codec import encode_events
from actors.book.records import EVENT_DTYPE
from actors.follow.follower import Follower
from actors.follow.positions import MarketPosition
from actors.follow.tail import MarketTail
from actors.log.reader import LogReader, LogRecord
from actors.platform.config import WriterConfig
from actors.platform.topology import Topology
from actors.writer.intake import Batch
from actors.writer.rows import Rows, rows_of
from actors.writer.store import OrderStore
from actors.writer.writer import PostgresWriter
from tests.beds.commands import market
from tests.simulation.loop import VirtualLoop

ONE, TWO = market(1), market(2)
WITHIN_S = 60.0


def record(market_id: int, sequence: int) -> bytes:
    events = np.zeros(1, EVENT_DTYPE)
    events["sequence"] = sequence
    events["market_id"] = market_id
    return encode_events(
        market_id=market_id,
        first_sequence=sequence,
        last_sequence=sequence,
        first_offset=sequence - 1,
        next_offset=sequence,
        events=events,
    )


class Log:
    """One topic's records by partition."""

    def __init__(self) -> None:
        self.records: dict[int, list[bytes]] = {0: [], 1: []}
        self.changed = asyncio.Event()

    def append(self, market_id: int) -> None:
        partition = self.records[market_id - 1]
        partition.append(record(market_id, len(partition) + 1))
        self.changed.set()


class Reader(LogReader):
    """Read a `Log`: all that has arrived, of every partition that it was started with."""

    def __init__(self, log: Log) -> None:
        self._log = log
        self._positions = {}

    async def start(self, positions: Mapping[int, int | None]) -> None:
        self._positions = {number: offset or 0 for number, offset in positions.items()}

    async def stop(self) -> None:
        pass

    async def read(
        self, *, timeout_ms: int, max_records: int | None = None
    ) -> dict[int, list[LogRecord]]:
        arrived = self._take()
        if not arrived:
            self._log.changed.clear()
            try:
                async with asyncio.timeout(timeout_ms / 1_000):
                    await self._log.changed.wait()
            except TimeoutError:
                return {}
            arrived = self._take()
        return arrived

    def _take(self) -> dict[int, list[LogRecord]]:
        arrived = {}
        for number, offset in self._positions.items():
            fresh = self._log.records[number][offset:]
            if fresh:
                arrived[number] = [LogRecord(offset + n, value) for n, value in enumerate(fresh)]
                self._positions[number] = offset + len(fresh)
        return arrived

    async def end_offsets(self) -> dict[int, int]:
        return {number: len(self._log.records[number]) for number in self._positions}

    async def first_offsets(self) -> dict[int, int]:
        return dict.fromkeys(self._positions, 0)

    def records_behind(self) -> dict[int, int]:
        return dict.fromkeys(self._positions, 0)


class Stored:
    """What outlives the connections: positions, and the sequences of each transaction."""

    def __init__(self) -> None:
        self.positions: dict[int, MarketPosition] = {}
        self.transactions: list[list[tuple[int, int]]] = []
        self.opened = self.closed = 0
        self.failures = 0
        self.free = asyncio.Event()
        self.free.set()
        self.writing = asyncio.Event()


class Store(OrderStore):
    """The writer's store over `Stored`; a write waits until it is `free`."""

    def __init__(self, stored: Stored) -> None:
        self._stored = stored
        stored.opened += 1

    async def close(self) -> None:
        self._stored.closed += 1

    async def positions(self, topology: Topology) -> tuple[MarketPosition, ...]:
        return tuple(
            self._stored.positions.setdefault(
                one.market_id, MarketPosition(market_id=one.market_id)
            )
            for one in topology
        )

    async def write(self, batch: Batch) -> Rows:
        stored = self._stored
        stored.writing.set()
        await stored.free.wait()
        if stored.failures:
            stored.failures -= 1
            raise ConnectionError("cut off")
        assert [stored.positions[at.market_id] for at in batch.before] == list(batch.before)
        stored.positions.update({at.market_id: at for at in batch.after})
        stored.transactions.append(
            [(int(event["market_id"]), int(event["sequence"])) for event in batch.events]
        )
        return rows_of(batch.events)


class Writer(PostgresWriter):
    """The product's writer over `Log` and `Stored`."""

    def __init__(self, log: Log, stored: Stored) -> None:
        super().__init__(
            WriterConfig(kafka_bootstrap="", postgres_url="", topology=Topology((ONE,)))
        )
        self.log = log
        self.stored = stored

    async def open_store(self) -> OrderStore:
        return Store(self.stored)

    async def open_tail(
        self, topology: Topology, positions: tuple[MarketPosition, ...]
    ) -> MarketTail:
        return await MarketTail.follow(Reader(self.log), topology, positions)


class Bed:
    """A follower of market one at work."""

    def __init__(self, *, gather_s: float = 0.0, pending_max: int = 100) -> None:
        self.log, self.stored = Log(), Stored()
        self.follower = Follower(
            Writer(self.log, self.stored),
            name="writer",
            topology=Topology((ONE,)),
            pending_max=pending_max,
            gather_s=gather_s,
        )

    def written(self, market_id: int) -> int:
        position = self.stored.positions.get(market_id)
        return position.last_sequence if position else 0


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(WITHIN_S):
        while not condition():  # noqa: ASYNC110 - time is virtual
            await asyncio.sleep(0.001)


def play(story: Coroutine[Any, Any, None]) -> None:
    VirtualLoop().run(story)  # type: ignore[abstract]  # only what asyncio's tasks call


def test_an_added_market_is_followed_from_its_beginning_and_the_others_go_on() -> None:
    async def story() -> None:
        bed = Bed()
        bed.follower.start()
        bed.log.append(1)
        bed.log.append(2)
        await until(lambda: bed.written(1) == 1)
        assert bed.written(2) == 0
        bed.follower.follow(Topology((ONE, TWO)))
        bed.log.append(1)
        await until(lambda: bed.written(1) == 2 and bed.written(2) == 1)
        assert sorted(chain(*bed.stored.transactions)) == [(1, 1), (1, 2), (2, 1)]
        assert bed.follower.status().healthy
        await bed.follower.stop()
        assert bed.stored.opened == bed.stored.closed == 2

    play(story())


def test_the_transaction_under_way_is_finished_before_the_markets_change() -> None:
    async def story() -> None:
        bed = Bed()
        bed.stored.free.clear()
        bed.follower.start()
        bed.log.append(1)
        await bed.stored.writing.wait()
        bed.follower.follow(Topology((ONE, TWO)))
        await asyncio.sleep(1)
        assert bed.stored.opened == 1
        bed.stored.free.set()
        await until(lambda: bed.stored.opened == 2)
        assert bed.stored.transactions == [[(1, 1)]]
        assert (bed.follower.status().transactions, bed.follower.status().error) == (1, "")
        await bed.follower.stop()

    play(story())


def test_the_same_markets_again_change_nothing() -> None:
    async def story() -> None:
        bed = Bed()
        bed.follower.start()
        bed.log.append(1)
        await until(lambda: bed.written(1) == 1)
        bed.follower.follow(Topology((market(1),)))
        bed.log.append(1)
        await until(lambda: bed.written(1) == 2)
        await asyncio.sleep(1)
        assert bed.stored.opened == 1
        await bed.follower.stop()

    play(story())


def test_markets_that_change_while_a_server_is_away_are_followed_once_it_is_back() -> None:
    async def story() -> None:
        bed = Bed()
        bed.stored.failures = 2
        bed.follower.start()
        bed.log.append(1)
        bed.log.append(2)
        await until(lambda: bool(bed.follower.error))
        assert bed.follower.error == "ConnectionError: cut off"
        bed.follower.follow(Topology((ONE, TWO)))
        await until(lambda: bed.written(1) == bed.written(2) == 1)
        assert bed.follower.status().healthy
        await bed.follower.stop()
        assert bed.stored.opened == bed.stored.closed == 3

    play(story())


def test_a_stopped_follower_has_finished_its_transaction() -> None:
    async def story() -> None:
        bed = Bed()
        bed.stored.free.clear()
        bed.follower.start()
        bed.log.append(1)
        await bed.stored.writing.wait()
        stopping = asyncio.ensure_future(bed.follower.stop())
        await asyncio.sleep(1)
        assert not stopping.done()
        bed.stored.free.set()
        await stopping
        assert bed.stored.transactions == [[(1, 1)]]
        assert bed.stored.closed == 1

    play(story())


@pytest.mark.parametrize(("gather_s", "transactions"), [(0.0, 3), (0.5, 1)])
def test_what_arrives_while_it_gathers_is_one_transaction(
    gather_s: float, transactions: int
) -> None:
    async def story() -> None:
        bed = Bed(gather_s=gather_s)
        bed.follower.start()
        for _ in range(3):
            bed.log.append(1)
            await asyncio.sleep(0.1)
        await until(lambda: bed.written(1) == 3)
        assert len(bed.stored.transactions) == transactions
        await bed.follower.stop()

    play(story())


@pytest.mark.parametrize("gather_s", [0.0, 0.5])
def test_a_transaction_ends_with_the_record_that_fills_it(gather_s: float) -> None:
    async def story() -> None:
        bed = Bed(gather_s=gather_s, pending_max=2)
        for _ in range(5):
            bed.log.append(1)
        bed.follower.start()
        await until(lambda: bed.written(1) == 5)
        assert bed.stored.transactions == [[(1, 1), (1, 2)], [(1, 3), (1, 4)], [(1, 5)]]
        await bed.follower.stop()

    play(story())
