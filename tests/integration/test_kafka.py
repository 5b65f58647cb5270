"""The adapters to Kafka against a real broker: offsets, bounds, gaps and outages."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from aiokafka.client import AIOKafkaClient
from aiokafka.consumer.fetcher import PartitionRecords
from aiokafka.errors import CorruptRecordException

from actors.book.codec import encode_events
from actors.book.market import Market
from actors.book.records import EVENT_DTYPE
from actors.log.commands import COMMANDS_PER_RECORD_MAX, KafkaCommandLog
from actors.log.ends import KafkaLogEnds
from actors.log.events import KafkaEventSink
from actors.log.kafka import KafkaLog
from actors.log.ports import LogRecord, Published
from actors.log.reader import KafkaLogReader
from actors.log.tail import EventTail, TailedEvents
from actors.platform.config import Servers
from actors.platform.errors import LogGapError, LogTimeoutError, LogUnavailableError, QueueFullError
from actors.platform.topology import COMMANDS_TOPIC, EVENTS_TOPIC, TRADES_TOPIC, Topology
from cluster.plan import Platform
from tests.beds.commands import flow, market
from tests.beds.leases import MarketLeases
from tests.beds.routing import (
    append_singly,
    command_log,
    make_platform,
)
from tests.beds.waiting import until


@pytest.fixture
async def platform(servers: Servers, leases: MarketLeases, tmp_path: Path) -> Platform:
    """Give a test a platform of one market whose log nobody else has written to."""
    return make_platform(servers, [await leases.market()], tmp_path)


@pytest.fixture
async def log(platform: Platform) -> AsyncIterator[KafkaCommandLog]:
    async with command_log(platform) as log:
        yield log


def only(platform: Platform) -> Market:
    (one,) = platform.topology
    return one


async def end_of_log(platform: Platform) -> int:
    partition = platform.topology.partition(only(platform))
    ends = KafkaLogEnds(
        bootstrap=platform.servers.kafka_bootstrap, topic=COMMANDS_TOPIC, client_id="test"
    )
    await ends.start()
    try:
        return (await ends.end_offsets([partition]))[partition]
    finally:
        await ends.stop()


async def test_appends_are_answered_with_the_offsets_of_their_records(
    platform: Platform, log: KafkaCommandLog
) -> None:
    await append_singly(log, only(platform), flow(200))
    assert await log.append(only(platform), flow(COMMANDS_PER_RECORD_MAX)) == 200
    at_once = [log.append(only(platform), flow(count)) for count in (3, 2)]
    assert await asyncio.gather(*at_once) == [201, 202]
    assert await end_of_log(platform) == 203
    assert log.pending_commands == 0


async def test_more_commands_than_may_wait_are_refused_unsent(platform: Platform) -> None:
    log = KafkaCommandLog(
        bootstrap=platform.servers.kafka_bootstrap,
        topology=platform.topology,
        pending_commands=10,
    )
    await log.start()
    try:
        outcomes = await asyncio.gather(
            *(log.append(only(platform), flow(6)) for _ in range(3)), return_exceptions=True
        )
        assert outcomes[0] == 0
        assert [type(outcome) for outcome in outcomes[1:]] == [QueueFullError, QueueFullError]
        assert await end_of_log(platform) == 1
    finally:
        await log.stop()


async def test_a_cancelled_client_does_not_undo_its_order(
    platform: Platform, log: KafkaCommandLog
) -> None:
    await log.append(only(platform), flow(1))
    append = asyncio.create_task(log.append(only(platform), flow(1)))
    await asyncio.sleep(0)
    append.cancel()
    with pytest.raises(asyncio.CancelledError):
        await append

    async def kept() -> bool:
        return await end_of_log(platform) == 2

    await until(kept, what="the cancelled append")
    assert log.pending_commands == 0


async def test_an_answer_that_comes_too_late_is_an_unknown_outcome(platform: Platform) -> None:
    log = KafkaCommandLog(
        bootstrap=platform.servers.kafka_bootstrap,
        topology=platform.topology,
        pending_commands=10,
        timeout_s=0.000_001,
    )
    await log.start()
    with pytest.raises(LogTimeoutError) as caught:
        await log.append(only(platform), flow(1))
    assert caught.value.retryable

    async def kept() -> bool:
        return await end_of_log(platform) == 1

    await until(kept, what="the append that was late")
    await log.stop()


async def test_without_a_broker_a_log_says_so(platform: Platform, unused_tcp_port: int) -> None:
    log = KafkaCommandLog(
        bootstrap=f"127.0.0.1:{unused_tcp_port}", topology=platform.topology, pending_commands=10
    )
    with pytest.raises(LogUnavailableError) as caught:
        await log.start()
    assert caught.value.retryable


async def test_a_market_without_a_partition_is_refused_for_good(
    platform: Platform, log: KafkaCommandLog
) -> None:
    stranger = market(9_999)
    other = KafkaCommandLog(
        bootstrap=platform.servers.kafka_bootstrap,
        topology=Topology((stranger,)),
        pending_commands=10,
    )
    await other.start()
    with pytest.raises(LogUnavailableError, match="no partition") as caught:
        await other.append(stranger, flow(1))
    assert not caught.value.retryable
    await other.stop()


@pytest.mark.parametrize("ahead", [True, False])
async def test_a_reader_follows_from_any_offset(
    platform: Platform, log: KafkaCommandLog, *, ahead: bool
) -> None:
    partition = platform.topology.partition(only(platform))
    await append_singly(log, only(platform), flow(10))
    reader = KafkaLogReader(
        bootstrap=platform.servers.kafka_bootstrap,
        topic=COMMANDS_TOPIC,
        client_id="test",
        ahead=ahead,
    )
    await reader.start({partition: 4})
    arrived = (await reader.read(timeout_ms=5_000))[partition]
    assert [record.offset for record in arrived] == [4, 5, 6, 7, 8, 9]
    reader.seek(partition, 8)
    again = (await reader.read(timeout_ms=5_000))[partition]
    assert [record.offset for record in again] == [8, 9]
    assert await reader.read(timeout_ms=10) == {}
    await append_singly(log, only(platform), flow(2))
    fresh: list[LogRecord] = []
    async with asyncio.timeout(10):
        while len(fresh) < 2:
            fresh += (await reader.read(timeout_ms=5_000)).get(partition, [])
    assert [record.offset for record in fresh] == [10, 11]
    await reader.stop()


async def test_a_partition_that_is_paused_holds_up_no_other_and_costs_no_requests(
    servers: Servers, leases: MarketLeases, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, two = await leases.markets(2)
    platform = make_platform(servers, [one, two], tmp_path)
    paused, other = (platform.topology.partition(each) for each in (one, two))
    asked = 0
    send = AIOKafkaClient.send

    async def counted(client: AIOKafkaClient, *request: Any, **how: Any) -> Any:
        nonlocal asked
        asked += 1
        return await send(client, *request, **how)

    reader = KafkaLogReader(
        bootstrap=servers.kafka_bootstrap, topic=COMMANDS_TOPIC, client_id="test", wait_ms=200
    )
    async with command_log(platform) as log:
        await append_singly(log, one, flow(5))
        await reader.start({paused: 0, other: 0})
        reader.pause(paused)
        for offset in range(5):
            await log.append(two, flow(1))
            arrived = await reader.read(timeout_ms=5_000)
            assert {number: [r.offset for r in records] for number, records in arrived.items()} == {
                other: [offset]
            }
        monkeypatch.setattr(AIOKafkaClient, "send", counted)
        assert await reader.read(timeout_ms=1_000) == {}
        assert asked <= 10
        reader.seek(paused, 2)
        reader.resume(paused)
        arrived = await reader.read(timeout_ms=5_000)
    assert [record.offset for record in arrived[paused]] == [2, 3, 4]
    await reader.stop()


async def test_a_record_that_is_corrupt_concerns_its_own_partition_alone(
    servers: Servers, leases: MarketLeases, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, two = await leases.markets(2)
    platform = make_platform(servers, [one, two], tmp_path)
    corrupt, other = (platform.topology.partition(each) for each in (one, two))
    unpack = PartitionRecords._unpack_records

    def unpacked(records: PartitionRecords) -> Iterator[Any]:
        if records._tp.partition == corrupt:
            raise CorruptRecordException(f"Invalid CRC - {records._tp}")
        yield from unpack(records)

    monkeypatch.setattr(PartitionRecords, "_unpack_records", unpacked)
    reader = KafkaLogReader(
        bootstrap=servers.kafka_bootstrap, topic=COMMANDS_TOPIC, client_id="test"
    )
    async with command_log(platform) as log:
        await append_singly(log, one, flow(3))
        await append_singly(log, two, flow(3))
    await reader.start({corrupt: 1, other: 0})
    read: list[int] = []

    async def read_on() -> None:
        arrived = await reader.read(timeout_ms=5_000)
        read.extend(record.offset for record in arrived.get(other, ()))

    with pytest.raises(LogGapError) as caught:
        await _for_ever(read_on)
    assert (caught.value.partition, caught.value.needed_offset) == (corrupt, 1)
    reader.pause(corrupt)
    while len(read) < 3:
        await read_on()
    assert read == [0, 1, 2]
    await reader.stop()


async def _for_ever(step: Callable[[], Awaitable[None]]) -> None:
    while True:
        await step()


async def test_an_offset_that_the_log_does_not_hold_is_named(platform: Platform) -> None:
    partition = platform.topology.partition(only(platform))
    reader = KafkaLogReader(
        bootstrap=platform.servers.kafka_bootstrap, topic=COMMANDS_TOPIC, client_id="test"
    )
    await reader.start({partition: 1_000})
    with pytest.raises(LogGapError) as caught:
        await reader.read(timeout_ms=5_000)
    assert caught.value.needed_offset == 1_000
    await reader.stop()


async def test_a_tail_from_the_end_sees_only_what_comes_and_passes_over_rubbish(
    platform: Platform,
) -> None:
    one = only(platform)
    partition = platform.topology.partition(one)
    sink = KafkaEventSink(
        bootstrap=platform.servers.kafka_bootstrap, topology=platform.topology, client_id="test"
    )
    tail = EventTail(KafkaLog(platform.servers.kafka_bootstrap), client_id="test")
    await sink.start()
    assert await sink.published(one) == Published(
        events_sequence=0, trades_sequence=0, last_events=None
    )
    await sink.publish(EVENTS_TOPIC, one, _events(one, 1))
    await tail.start({partition: None})
    await sink.publish(EVENTS_TOPIC, one, b"rubbish")
    await sink.publish(EVENTS_TOPIC, one, _events(one, 4))
    await sink.publish(TRADES_TOPIC, one, _events(one, 1))
    seen: list[TailedEvents] = []
    while not seen:
        seen = [t for t in (await tail.read(timeout_ms=5_000)).get(partition, []) if t.offset == 2]
    assert seen[0].record.first_sequence == 4
    assert tail.positions == {partition: 3}
    published = await sink.published(one)
    assert (published.events_sequence, published.trades_sequence) == (6, 3)
    assert published.last_events is not None
    assert published.last_events.events["sequence"].tolist() == [4, 5, 6]
    await tail.stop()
    await sink.stop()


def _events(one: Market, first_sequence: int) -> bytes:
    events = np.zeros(3, EVENT_DTYPE)
    events["sequence"] = np.arange(3) + first_sequence
    return encode_events(
        market_id=one.market_id,
        first_sequence=first_sequence,
        last_sequence=first_sequence + 2,
        first_offset=0,
        next_offset=1,
        events=events,
    )


async def test_whoever_is_cancelled_while_appending_ends(
    platform: Platform, log: KafkaCommandLog
) -> None:
    # A cancel that was swallowed kept the demo from ending.
    (one,) = platform.topology

    async def append_for_ever() -> None:
        while True:
            await log.append(one, flow(1))

    for _ in range(5):
        tasks = [asyncio.create_task(append_for_ever()) for _ in range(100)]
        await log.append(one, flow(1))
        for task in tasks:
            task.cancel()
        _, pending = await asyncio.wait(tasks, timeout=20)
        assert not pending
