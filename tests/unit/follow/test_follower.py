"""The loop of the followers over a log and rows in memory, in virtual time."""

import asyncio
from collections.abc import Callable, Coroutine, Iterable
from itertools import chain
from typing import Any

import numpy as np
import pytest

from actors.book.codec import encode_events
from actors.book.records import EVENT_DTYPE
from actors.follow.follower import Follower
from actors.follow.positions import MarketPosition
from actors.log.memory import RECORDS_PER_READ, MemoryLog
from actors.platform.config import WriterConfig
from actors.platform.topology import EVENTS_TOPIC, Topology
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


class Events(MemoryLog):
    """The events' topic of both markets; counts how often somebody waits for more of it."""

    def __init__(self) -> None:
        super().__init__()
        self.reads = 0

    async def wait(self, topic: str, partitions: Iterable[int], *, timeout_s: float) -> None:
        self.reads += 1
        await super().wait(topic, partitions, timeout_s=timeout_s)

    def append_next(self, market_id: int) -> None:
        partition = market_id - 1
        value = record(market_id, self.end(EVENTS_TOPIC, partition) + 1)
        self.append(EVENTS_TOPIC, partition, value)


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
        self.readable = asyncio.Event()
        self.readable.set()
        self.reading = asyncio.Event()
        self.queries_cancelled = 0


class Store(OrderStore):
    """The writer's store over `Stored`; a write waits until it is `free`."""

    def __init__(self, stored: Stored) -> None:
        self._stored = stored
        stored.opened += 1

    async def close(self) -> None:
        self._stored.closed += 1

    async def positions(self, topology: Topology) -> tuple[MarketPosition, ...]:
        self._stored.reading.set()
        try:
            await self._stored.readable.wait()
        except asyncio.CancelledError:
            self._stored.queries_cancelled += 1
            raise
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
    """The product's writer over `Events` and `Stored`."""

    def __init__(self, log: Events, stored: Stored) -> None:
        super().__init__(
            WriterConfig(kafka_bootstrap="", postgres_url="", topology=Topology((ONE,))), log=log
        )
        self.stored = stored

    async def open_store(self) -> OrderStore:
        return Store(self.stored)


class Bed:
    """A follower of market one at work."""

    def __init__(self, *, rest_s: float = 0.0, pending_max: int = 100) -> None:
        self.log, self.stored = Events(), Stored()
        self.follower = Follower(
            Writer(self.log, self.stored),
            name="writer",
            topology=Topology((ONE,)),
            pending_max=pending_max,
            rest_s=rest_s,
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
        bed.log.append_next(1)
        bed.log.append_next(2)
        await until(lambda: bed.written(1) == 1)
        assert bed.written(2) == 0
        bed.follower.follow(Topology((ONE, TWO)))
        bed.log.append_next(1)
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
        bed.log.append_next(1)
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
        bed.log.append_next(1)
        await until(lambda: bed.written(1) == 1)
        bed.follower.follow(Topology((market(1),)))
        bed.log.append_next(1)
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
        bed.log.append_next(1)
        bed.log.append_next(2)
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
        bed.log.append_next(1)
        await bed.stored.writing.wait()
        stopping = asyncio.ensure_future(bed.follower.stop())
        await asyncio.sleep(1)
        assert not stopping.done()
        bed.stored.free.set()
        await stopping
        assert bed.stored.transactions == [[(1, 1)]]
        assert bed.stored.closed == 1

    play(story())


def test_a_follower_that_is_stopped_as_it_restores_lets_the_query_end() -> None:
    async def story() -> None:
        bed = Bed()
        bed.stored.readable.clear()
        bed.follower.start()
        await bed.stored.reading.wait()
        stopping = asyncio.ensure_future(bed.follower.stop())
        await asyncio.sleep(1)
        assert not stopping.done()
        bed.stored.readable.set()
        await stopping
        assert bed.stored.queries_cancelled == 0
        assert bed.stored.opened == bed.stored.closed == 1

    play(story())


def test_what_comes_after_silence_is_stored_at_once_and_what_follows_it_together() -> None:
    async def story() -> None:
        bed = Bed(rest_s=0.5)
        bed.follower.start()
        await asyncio.sleep(3)
        bed.log.append_next(1)
        async with asyncio.timeout(0.01):
            await bed.stored.writing.wait()
        for _ in range(3):
            await asyncio.sleep(0.1)
            bed.log.append_next(1)
        await until(lambda: bed.written(1) == 4)
        assert bed.stored.transactions == [[(1, 1)], [(1, 2), (1, 3), (1, 4)]]
        await bed.follower.stop()

    play(story())


def test_nothing_is_rested_as_long_as_the_log_is_ahead() -> None:
    async def story() -> None:
        bed = Bed(rest_s=60)
        for _ in range(3 * RECORDS_PER_READ):
            bed.log.append_next(1)
        bed.follower.start()
        async with asyncio.timeout(1):
            await until(lambda: bed.written(1) == 3 * RECORDS_PER_READ)
        await bed.follower.stop()

    play(story())


def test_nothing_is_stored_while_nothing_comes() -> None:
    async def story() -> None:
        bed = Bed()
        bed.follower.start()
        await asyncio.sleep(60)
        assert bed.stored.transactions == []
        assert bed.log.reads <= 61
        await bed.follower.stop()

    play(story())


@pytest.mark.parametrize("rest_s", [0.0, 0.5])
def test_a_transaction_ends_with_the_record_that_fills_it(rest_s: float) -> None:
    async def story() -> None:
        bed = Bed(rest_s=rest_s, pending_max=2)
        for _ in range(5):
            bed.log.append_next(1)
        bed.follower.start()
        await until(lambda: bed.written(1) == 5)
        assert bed.stored.transactions == [[(1, 1), (1, 2)], [(1, 3), (1, 4)], [(1, 5)]]
        await bed.follower.stop()

    play(story())
