"""The hub's one reader on a real broker: rooms that come and go, a restart, a gap."""

import asyncio
import os
import random
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import pytest_asyncio
from aiokafka import TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, RecordsToDelete

from actors.log.kafka import KafkaLog
from actors.log.producer import RecordProducer
from actors.platform.topology import EVENTS_TOPIC, Topology
from api.hub.tail import RoomsTail
from cluster.data.topics import make_topics
from cluster.embedded.kafka import EmbeddedKafka
from tests.beds.commands import market
from tests.beds.rooms import RoomFollower, numbered

_PARTITIONS = range(4)
_TOPOLOGY = Topology(tuple(market(number + 1) for number in _PARTITIONS))


class Broker:
    """A broker, a producer, and the number of the last event of each partition."""

    def __init__(self, kafka: EmbeddedKafka, producer: RecordProducer) -> None:
        self.kafka = kafka
        self.last = dict.fromkeys(_PARTITIONS, 0)
        self._producer = producer

    async def tell(self, partition: int) -> int:
        """Publish the next event of a partition and return its number."""
        self.last[partition] += 1
        number = self.last[partition]
        await self._producer.send(
            topic=EVENTS_TOPIC, partition=partition, key=b"", value=numbered(partition, number)
        )
        return number

    @asynccontextmanager
    async def tail(self) -> AsyncIterator[RoomsTail]:
        """Read as the hub does."""
        tail = RoomsTail(KafkaLog(self.kafka.bootstrap), partitions=_PARTITIONS)
        try:
            yield tail
            tail.check_health()
        finally:
            await tail.stop()


@pytest_asyncio.fixture(scope="module")
async def broker(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Broker]:
    folder: Path = tmp_path_factory.mktemp("hub-tail")
    kafka = EmbeddedKafka(
        directory=folder / "kafka", logs=folder / "logs", progress=lambda _: None, brokers=1
    )
    try:
        await kafka.start()
        await make_topics(kafka.bootstrap, _TOPOLOGY)
        producer = RecordProducer(bootstrap=kafka.bootstrap, client_id="test")
        await producer.start()
        yield Broker(kafka, producer)
        await producer.stop()
    finally:
        await asyncio.gather(*(process.stop() for process in kafka.processes()))


@pytest.mark.parametrize("seed", range(3))
async def test_rooms_that_come_and_go_hear_all_that_follows_their_subscription(
    broker: Broker, seed: int
) -> None:
    draw = random.Random(seed)
    rooms: dict[int, tuple[RoomFollower, int]] = {}
    heard: list[tuple[list[int], int]] = []
    async with broker.tail() as tail:
        for _ in range(200):
            partition = draw.choice(_PARTITIONS)
            if draw.random() < 0.8:
                await broker.tell(partition)
            elif partition in rooms:
                tail.leave(partition)
                follower, since = rooms.pop(partition)
                heard.append((follower.told, since))
                if not rooms and draw.random() < 0.5:
                    await tail.rest()
            else:
                follower = RoomFollower()
                await tail.follow(partition, follower.deliver)
                rooms[partition] = follower, broker.last[partition]
        for partition, (follower, since) in rooms.items():
            last = await broker.tell(partition)
            await follower.until(last)
            assert follower.told == list(range(since + 1, last + 1)), f"seed {seed}"
    for told, since in heard:
        assert told == list(range(since + 1, since + 1 + len(told))), f"seed {seed}"


async def test_a_room_that_is_full_is_read_on_where_it_was_left(broker: Broker) -> None:
    slow, other = RoomFollower(), RoomFollower()
    slow.takes_more = False
    async with broker.tail() as tail:
        await tail.follow(0, slow.deliver)
        await tail.follow(1, other.deliver)
        first = await broker.tell(0)
        await slow.until(first)
        for _ in range(3):
            await broker.tell(0)
            await other.until(await broker.tell(1))
        assert slow.told == [first]
        slow.takes_more = True
        tail.resume(0)
        await slow.until(first + 3)
        assert slow.told == list(range(first, first + 4))


async def test_behind_a_gap_a_room_goes_on_at_the_end(broker: Broker) -> None:
    follower = RoomFollower()
    follower.takes_more = False
    async with broker.tail() as tail:
        await tail.follow(2, follower.deliver)
        first = await broker.tell(2)
        await follower.until(first)
        for _ in range(3):
            await broker.tell(2)
        admin = AIOKafkaAdminClient(bootstrap_servers=broker.kafka.bootstrap)
        await admin.start()
        try:
            await admin.delete_records({TopicPartition(EVENTS_TOPIC, 2): RecordsToDelete(-1)})
        finally:
            await admin.close()
        follower.takes_more = True
        tail.resume(2)
        told: list[int] = []

        async def told_again() -> None:
            # What comes before the gap is noticed belongs to it.
            while follower.told == [first]:
                told.append(await broker.tell(2))
                await asyncio.sleep(0.05)

        await asyncio.wait_for(told_again(), 30)
        last = await broker.tell(2)
        await follower.until(last)
        assert follower.told[1:] == list(range(follower.told[1], last + 1))
        assert follower.told[1] in told


async def test_a_broker_that_dies_and_comes_back_costs_no_event_and_doubles_none(
    broker: Broker,
) -> None:
    followers = {partition: RoomFollower() for partition in (0, 3)}
    (server,) = broker.kafka.brokers
    async with broker.tail() as tail:
        firsts = {}
        for partition, follower in followers.items():
            await tail.follow(partition, follower.deliver)
            firsts[partition] = await broker.tell(partition)
            await follower.until(firsts[partition])
        assert server.process is not None
        os.kill(server.process.pid, signal.SIGKILL)
        await server.process.stop()
        telling = [asyncio.create_task(broker.tell(partition)) for partition in followers]
        await server.start()
        await asyncio.gather(*telling)
        for partition, follower in followers.items():
            last = await broker.tell(partition)
            await follower.until(last)
            assert follower.told == list(range(firsts[partition], last + 1))
