"""`trades.executed` follows `orders.updated`: complete, in order, and whoever died in between."""

import asyncio
from collections.abc import Callable

import numpy as np
import pytest

from actors.book.codec import decode_events
from actors.book.records import EVENT_DTYPE
from actors.book.vocabulary import EventKind
from actors.log.memory import MemoryLog, MemoryReader
from actors.log.ports import LogReader
from actors.log.tail import events_after
from actors.platform.errors import LogUnavailableError
from actors.platform.topology import EVENTS_TOPIC, TRADES_TOPIC, Topology
from actors.router import trades as trades_module
from actors.router.publisher import PairPublisher
from actors.router.records import EventBatch
from actors.router.trades import TradeLog
from tests.beds.commands import market

ONE = market(1)
TOPOLOGY = Topology((ONE,))
PARTITION = TOPOLOGY.partition(ONE)


def batch(first: int, last: int, *, every: int = 3) -> EventBatch:
    """Return events of which those with a sequence that `every` divides are trades."""
    events = np.zeros(last - first + 1, EVENT_DTYPE)
    events["sequence"] = np.arange(first, last + 1)
    events["market_id"] = ONE.market_id
    is_trade = events["sequence"] % every == 0
    events["kind"] = np.where(is_trade, EventKind.TRADE, EventKind.ORDER)
    return EventBatch(
        market_id=ONE.market_id,
        first_sequence=first,
        last_sequence=last,
        first_offset=first - 1,
        next_offset=last,
        events=events,
    )


def publish(log: MemoryLog, first: int, last: int, *, every: int = 3) -> None:
    """Put events into `orders.updated`, as a router does that dies before their trades."""
    for record in batch(first, last, every=every).encode():
        log.append(EVENTS_TOPIC, PARTITION, record)


def seen(log: MemoryLog) -> list[int]:
    """Return the sequences of the trades as a consumer takes them that drops repeats."""
    taken, last = [], 0
    for value in log.values(TRADES_TOPIC, PARTITION):
        record = decode_events(value)
        taken += events_after(record, last)["sequence"].tolist()
        last = max(last, record.last_sequence)
    return taken


def thirds(last: int) -> list[int]:
    return list(range(3, last + 1, 3))


def trade_log(log: MemoryLog, events: Callable[[], LogReader] | None = None) -> TradeLog:
    return TradeLog(
        market=ONE,
        partition=PARTITION,
        sink=log.sink(topology=TOPOLOGY, client_id="test"),
        events=events or (lambda: log.reader(topic=EVENTS_TOPIC, client_id="test")),
    )


async def router(log: MemoryLog) -> tuple[PairPublisher, TradeLog]:
    """Return the publishing part of a router that has just started."""
    trades = trade_log(log)
    sink = log.sink(topology=TOPOLOGY, client_id="test")
    publisher = PairPublisher(market=ONE, sink=sink, trades=trades)
    await publisher.learn()
    return publisher, trades


async def test_what_is_published_meanwhile_is_one_record_of_trades() -> None:
    log = MemoryLog()
    publisher, trades = await router(log)
    counts = [await publisher.publish(batch(n, n + 1)) for n in range(1, 21, 2)]
    assert sum(counts) == len(thirds(20))
    assert log.values(TRADES_TOPIC, PARTITION) == []
    await trades.write()
    (value,) = log.values(TRADES_TOPIC, PARTITION)
    record = decode_events(value)
    assert record.events["sequence"].tolist() == thirds(20)
    assert (record.first_sequence, record.last_sequence) == (1, 20)
    assert (record.first_offset, record.next_offset) == (0, 20)


async def test_a_router_writes_the_trades_of_the_one_that_died_before_it() -> None:
    log = MemoryLog()
    publisher, trades = await router(log)
    await publisher.publish(batch(1, 10))
    await trades.write()
    for first in range(11, 61, 10):
        await publisher.publish(batch(first, first + 9))
    publisher, trades = await router(log)
    await publisher.publish(batch(61, 66))
    await trades.write()
    assert seen(log) == thirds(66)


async def test_a_gap_of_thousands_of_records_is_closed() -> None:
    log = MemoryLog()
    publish(log, 1, 10)
    _, trades = await router(log)
    await trades.write()
    for first in range(11, 12_011, 3):
        publish(log, first, first + 2)
    publisher, trades = await router(log)
    await publisher.publish(batch(12_011, 12_015))
    await trades.write()
    assert seen(log) == thirds(12_015)
    assert len(log.values(TRADES_TOPIC, PARTITION)) < 20


async def test_trades_that_another_router_published_and_did_not_write_are_written() -> None:
    log = MemoryLog()
    one, trades = await router(log)
    await one.publish(batch(1, 10))
    other, _ = await router(log)
    for first in range(11, 91, 10):
        await other.publish(batch(first, first + 9))
    await one.learn(again=True)
    await one.publish(batch(91, 99))
    await trades.write()
    assert seen(log) == thirds(99)


async def test_two_routers_at_once_only_repeat_each_other() -> None:
    log = MemoryLog()
    one, its_trades = await router(log)
    other, others_trades = await router(log)
    for first in range(1, 61, 10):
        await one.publish(batch(first, first + 9))
        await other.publish(batch(first, first + 9))
        await (its_trades if first % 20 == 1 else others_trades).write()
    await its_trades.write()
    await others_trades.write()
    assert seen(log) == thirds(60)


async def test_records_that_repeat_older_events_hide_none_of_the_newer_ones() -> None:
    log = MemoryLog()
    publish(log, 1, 6)
    _, trades = await router(log)
    await trades.write()
    for first in range(7, 67, 3):
        publish(log, first, first + 2)
    # A router that knew less begins to repeat, dies, and the other goes on.
    for _ in range(20):
        publish(log, 5, 8)
    publish(log, 67, 70)
    _, trades = await router(log)
    await trades.write()
    assert seen(log) == thirds(70)


class _TrimmedReader(MemoryReader):
    """Reads a log whose first records are gone."""

    def __init__(self, log: MemoryLog, *, first_offset: int) -> None:
        super().__init__(log, EVENTS_TOPIC)
        self._first_offset = first_offset

    async def first_offsets(self) -> dict[int, int]:
        return dict.fromkeys(self._positions, self._first_offset)


@pytest.mark.parametrize("first_offset", [30, 60])
async def test_a_log_that_was_trimmed_gives_the_trades_that_it_still_has(
    first_offset: int,
) -> None:
    log = MemoryLog()
    for first in range(1, 181, 3):
        publish(log, first, first + 2)
    trades = trade_log(log, lambda: _TrimmedReader(log, first_offset=first_offset))
    trades.learn(events_sequence=180)
    await trades.write()
    assert seen(log) == thirds(180)[first_offset:]
    trades.offer(batch(181, 189))
    await trades.write()
    assert seen(log) == thirds(189)[first_offset:]


async def test_more_than_memory_may_hold_is_read_again() -> None:
    log = MemoryLog()
    publisher, trades = await router(log)
    for first in range(1, 30_001, 1_000):
        await publisher.publish(batch(first, first + 999, every=1))
        assert trades._waiting_size <= trades_module._WAITING_MAX + 1_001
    await trades.write()
    assert seen(log) == list(range(1, 30_001))


async def test_a_whole_record_of_trades_waits_for_no_moment(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(trades_module, "WRITE_EVERY_S", 3_600.0)
    log = MemoryLog()
    publisher, trades = await router(log)
    running = asyncio.create_task(trades.run())
    await publisher.publish(batch(1, 3_000, every=1))
    await publisher.publish(batch(3_001, 6_000, every=1))
    async with asyncio.timeout(5):
        while len(seen(log)) < 6_000:
            await log.wait(TRADES_TOPIC, [PARTITION], timeout_s=5)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)


async def test_a_long_time_without_trades_is_put_down_and_not_read_again() -> None:
    log = MemoryLog()
    publisher, trades = await router(log)
    await publisher.publish(batch(1, 3))
    await trades.write()
    for first in range(4, 16_004, 100):
        await publisher.publish(batch(first, first + 99, every=1_000_000))
        await trades.write()
    *_, mark = (decode_events(value) for value in log.values(TRADES_TOPIC, PARTITION))
    assert len(mark.events) == 0
    assert (mark.first_sequence, mark.last_sequence) == (4, 10_003)
    assert seen(log) == [3]
    publisher, trades = await router(log)
    await publisher.publish(batch(16_004, 16_010))
    await trades.write()
    assert seen(log) == [3, 16_005, 16_008]


async def test_a_log_that_is_away_is_asked_again() -> None:
    log = MemoryLog()
    publish(log, 1, 40)
    away = 1

    def events() -> LogReader:
        nonlocal away
        if away:
            away -= 1
            raise LogUnavailableError("no broker answers", retryable=True)
        return log.reader(topic=EVENTS_TOPIC, client_id="test")

    trades = trade_log(log, events)
    trades.learn(events_sequence=40)
    with pytest.raises(LogUnavailableError):
        await trades.write()
    running = asyncio.create_task(trades.run())
    trades.learn(events_sequence=40)
    async with asyncio.timeout(5):
        await log.wait(TRADES_TOPIC, [PARTITION], timeout_s=5)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    assert seen(log) == thirds(40)
