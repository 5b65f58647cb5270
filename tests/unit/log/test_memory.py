"""The log in memory: what a reader of Kafka counts on holds here too."""

import asyncio

import numpy as np
import pytest

from actors.book.codec import decode_commands, encode_events
from actors.book.records import EVENT_DTYPE
from actors.book.vocabulary import Side
from actors.log.memory import RECORDS_PER_READ, MemoryLog
from actors.platform.errors import LogGapError, QueueFullError
from actors.platform.topology import COMMANDS_TOPIC, EVENTS_TOPIC, TRADES_TOPIC, Topology
from tests.beds.commands import flow, market, place

ONE, TWO = market(1), market(2)
TOPOLOGY = Topology((ONE, TWO))


def _record(sequence: int) -> bytes:
    events = np.zeros(1, EVENT_DTYPE)
    events["sequence"] = sequence
    return encode_events(
        market_id=ONE.market_id,
        first_sequence=sequence,
        last_sequence=sequence,
        first_offset=0,
        next_offset=1,
        events=events,
    )


async def test_commands_lie_in_their_markets_partition_in_the_order_of_their_appends() -> None:
    log = MemoryLog()
    commands = log.commands(topology=TOPOLOGY, pending_commands=10, client_id="test")
    await commands.start()
    orders = [place(n, Side.BUY, price_ticks=100, quantity_lots=1) for n in (1, 2, 3)]
    assert [await commands.append(ONE, order) for order in orders] == [0, 1, 2]
    assert await commands.append(TWO, orders[0]) == 0
    kept = [decode_commands(1, value) for value in log.values(COMMANDS_TOPIC, 0)]
    assert [int(one["order_id"][0]) for one in kept] == [1, 2, 3]
    ends = log.ends(topic=COMMANDS_TOPIC, client_id="test")
    assert await ends.end_offsets([0, 1, 2]) == {0: 3, 1: 1, 2: 0}
    await commands.stop()


async def test_a_full_queue_takes_nothing() -> None:
    log = MemoryLog()
    commands = log.commands(topology=TOPOLOGY, pending_commands=2, client_id="test")
    with pytest.raises(QueueFullError):
        await commands.append(ONE, flow(3))
    assert log.end(COMMANDS_TOPIC, 0) == 0
    answers = await asyncio.gather(
        *(commands.append(ONE, flow(1)) for _ in range(3)), return_exceptions=True
    )
    assert answers[:2] == [0, 1]
    assert isinstance(answers[2], QueueFullError)
    assert commands.pending_commands == 0


async def test_each_reader_has_its_own_place_and_may_seek() -> None:
    log = MemoryLog()
    for value in (b"a", b"b", b"c"):
        log.append(EVENTS_TOPIC, 0, value)
    log.append(EVENTS_TOPIC, 1, b"d")
    first = log.reader(topic=EVENTS_TOPIC, client_id="test")
    second = log.reader(topic=EVENTS_TOPIC, client_id="test")
    await first.start({0: 1, 1: 0})
    await second.start({0: None})
    assert first.records_behind() == {0: 2, 1: 1}
    arrived = await first.read(timeout_ms=0)
    assert {n: [(r.offset, r.value) for r in records] for n, records in arrived.items()} == {
        0: [(1, b"b"), (2, b"c")],
        1: [(0, b"d")],
    }
    assert first.positions == {0: 3, 1: 1}
    assert await second.read(timeout_ms=1) == {}
    second.seek(0, 2)
    assert [r.value for r in (await second.read(timeout_ms=0))[0]] == [b"c"]
    assert (await first.end_offsets(), await first.first_offsets()) == ({0: 3, 1: 1}, {0: 0, 1: 0})


async def test_a_reader_that_waits_hears_the_next_record_at_once() -> None:
    log = MemoryLog()
    readers = [log.reader(topic=EVENTS_TOPIC, client_id="test") for _ in range(2)]
    for reader in readers:
        await reader.start({0: None, 1: None})
    waiting = [asyncio.create_task(reader.read(timeout_ms=60_000)) for reader in readers]
    await asyncio.sleep(0)
    log.append(TRADES_TOPIC, 1, b"elsewhere")
    log.append(EVENTS_TOPIC, 1, b"here")
    async with asyncio.timeout(5):
        for arrived in await asyncio.gather(*waiting):
            assert [record.value for record in arrived[1]] == [b"here"]


async def test_one_read_is_bounded() -> None:
    log = MemoryLog()
    for number in range(RECORDS_PER_READ + 5):
        log.append(EVENTS_TOPIC, 0, b"%d" % number)
        log.append(EVENTS_TOPIC, 1, b"%d" % number)
    reader = log.reader(topic=EVENTS_TOPIC, client_id="test")
    await reader.start({0: 0, 1: 0})
    few = await reader.read(timeout_ms=0, max_records=3)
    assert sum(map(len, few.values())) == 3
    reader.seek(0, 0)
    rest = await reader.read(timeout_ms=0)
    assert [len(rest[number]) for number in (0, 1)] == [RECORDS_PER_READ, RECORDS_PER_READ]


async def test_a_place_beyond_the_end_is_a_gap() -> None:
    log = MemoryLog()
    reader = log.reader(topic=EVENTS_TOPIC, client_id="test")
    await reader.start({0: 4})
    with pytest.raises(LogGapError) as gap:
        await reader.read(timeout_ms=0)
    assert (gap.value.partition, gap.value.needed_offset) == (0, 4)


async def test_the_ends_say_how_far_a_pair_is_published_whoever_repeated_himself() -> None:
    log = MemoryLog()
    sink = log.sink(topology=TOPOLOGY, client_id="test")
    nothing = await sink.published(ONE)
    assert (nothing.events_sequence, nothing.trades_sequence, nothing.last_events) == (0, 0, None)
    for sequence in (1, 2, 3, 2):
        await sink.publish(EVENTS_TOPIC, ONE, _record(sequence))
    await sink.publish(TRADES_TOPIC, ONE, _record(2))
    log.append(EVENTS_TOPIC, 0, b"nothing that can be read")
    published = await sink.published(ONE)
    assert (published.events_sequence, published.trades_sequence) == (3, 2)
    assert published.last_events is not None
    assert published.last_events.last_sequence == 3
    assert (await sink.published(TWO)).events_sequence == 0
