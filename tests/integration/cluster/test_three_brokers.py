"""Three embedded brokers: what is acknowledged outlives the death of one, and needs two."""

import asyncio
import logging
import os
import signal
import time
from collections.abc import AsyncIterator, Iterable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.errors import KafkaError

from actors.book.codec import decode_commands
from actors.log.commands import KafkaCommandLog
from actors.log.producer import RecordProducer
from actors.log.reader import KafkaLogReader
from actors.platform.errors import LogError, LogTimeoutError, LogUnavailableError, QueueFullError
from actors.platform.topology import COMMANDS_TOPIC, Topology
from cluster.data.topics import TOPICS, make_topics
from cluster.embedded.kafka import EmbeddedKafka
from cluster.embedded.kafka_broker import KafkaBroker
from cluster.errors import ServerStartError
from tests.beds.commands import flow, market
from tests.beds.waiting import until

_MARKET = market(1)
_TOPOLOGY = Topology((_MARKET,))
_PATIENCE_S = 90.0
_APPEND_TIMEOUT_S = 3.0
_QUESTIONS = 20


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the brokers' data lie."""
    return tmp_path_factory.mktemp("three-brokers")


@pytest_asyncio.fixture(scope="module")
async def kafka(folder: Path) -> AsyncIterator[EmbeddedKafka]:
    """Three brokers, all alive."""
    three = _set(folder, brokers=3)
    try:
        await three.start()
        await make_topics(three.bootstrap, _TOPOLOGY)
        yield three
    finally:
        await asyncio.gather(*(process.stop() for process in three.processes()))


async def test_every_broker_knows_the_topics_as_soon_as_they_are_made(
    kafka: EmbeddedKafka,
) -> None:
    for markets in (2, 20, 40):
        await make_topics(kafka.bootstrap, Topology(tuple(map(market, range(1, markets + 1)))))
        for broker in kafka.brokers:
            admin = AIOKafkaAdminClient(bootstrap_servers=broker.address)
            await admin.start()
            try:
                # Each request goes to one of the three, by chance.
                for _ in range(9):
                    for topic in await admin.describe_topics(list(TOPICS)):
                        assert topic["error_code"] == 0
                        assert len(topic["partitions"]) == markets
            finally:
                await admin.close()


async def test_clients_rest_between_questions_after_a_partition_without_a_leader(
    kafka: EmbeddedKafka, caplog: pytest.LogCaptureFixture
) -> None:
    only_copy = kafka.brokers[2]
    topic = "one-copy"
    await _make_topic(kafka, topic, only_copy)
    producer = RecordProducer(bootstrap=kafka.bootstrap, client_id="test")
    reader = KafkaLogReader(bootstrap=kafka.bootstrap, topic=topic, client_id="test")
    await producer.start()
    await producer.send(topic=topic, partition=0, key=b"", value=b"first")
    await reader.start({0: 0})
    assert (await reader.read(timeout_ms=10_000))[0][0].value == b"first"
    await _kill([only_copy])

    async def leaderless() -> bool:
        with suppress(KafkaError):
            # Asked of any of the three.
            return bool((await _partition(kafka, topic))["leader"] == -1)
        return False

    await until(leaderless, within_s=_PATIENCE_S, what="partition without a leader")
    # Waits until the partition is led again, or too long.
    sending = asyncio.gather(
        producer.send(topic=topic, partition=0, key=b"", value=b"second"), return_exceptions=True
    )
    questions: list[float] = []

    async def asked() -> bool:
        questions[:] = [
            record.created
            for record in caplog.records
            if record.getMessage().startswith("Sending metadata request")
        ]
        return len(questions) >= _QUESTIONS

    with caplog.at_level(logging.DEBUG, logger="aiokafka"):
        await until(asked, within_s=_PATIENCE_S, what=f"{_QUESTIONS} questions for the leader")
    # Two clients that pause for a tenth of a second; without pauses it is some milliseconds.
    assert questions[_QUESTIONS - 1] - questions[0] > (_QUESTIONS / 2 - 1) * 0.1
    await only_copy.start()
    await sending
    await reader.stop()
    await producer.stop()


class Appender:
    """A client of the log that remembers what was acknowledged: command ids by offset."""

    def __init__(self, kafka: EmbeddedKafka) -> None:
        self.log = KafkaCommandLog(
            bootstrap=kafka.bootstrap,
            topology=_TOPOLOGY,
            pending_commands=1_000,
            timeout_s=_APPEND_TIMEOUT_S,
        )
        self.acknowledged: dict[int, int] = {}
        self._next_id = 1

    async def append(self) -> None:
        """Append one command, once. Raises LogError."""
        command_id, self._next_id = self._next_id, self._next_id + 1
        offset = await self.log.append(_MARKET, flow(1, first_order_id=command_id))
        self.acknowledged[command_id] = offset

    async def until_acknowledged(self, count: int) -> None:
        """Append one command after another until so many more are acknowledged."""
        wanted = len(self.acknowledged) + count
        async with asyncio.timeout(_PATIENCE_S):
            while len(self.acknowledged) < wanted:
                with suppress(QueueFullError, LogTimeoutError, LogUnavailableError):
                    await self.append()


async def test_the_death_of_a_leader_loses_nothing_and_of_two_stops_acknowledgements(
    kafka: EmbeddedKafka, folder: Path
) -> None:
    for topic in TOPICS:
        partition = await _partition(kafka, topic)
        assert sorted(partition["replicas"]) == [1, 2, 3], topic
    client = Appender(kafka)
    await client.log.start()
    await client.until_acknowledged(20)

    leader = kafka.brokers[(await _partition(kafka, COMMANDS_TOPIC))["leader"] - 1]
    address = leader.address
    await _kill([leader])
    await client.until_acknowledged(20)
    await leader.start()
    assert leader.address == address
    await _until_in_sync(kafka, 3)

    first, second, third = kafka.brokers
    for dead in ([first, second], [third]):
        await _kill(dead)
        if len(dead) == 2:
            began_s = time.monotonic()
            with pytest.raises(LogError) as refused:
                await client.append()
            assert refused.value.retryable
            assert time.monotonic() - began_s < _APPEND_TIMEOUT_S + 2
    await asyncio.gather(*(broker.start() for broker in kafka.brokers))
    await client.until_acknowledged(5)
    await client.log.stop()

    found = await _command_ids(kafka)
    kept = {command_id: offset for offset, command_id in found}
    assert len(kept) == len(found), "a command lies in the log twice"
    for command_id, offset in client.acknowledged.items():
        assert kept[command_id] == offset or offset == -1

    with pytest.raises(ServerStartError, match="was made with 3 brokers, not 1: leave --brokers"):
        await _set(folder, brokers=1).start()


def _set(folder: Path, *, brokers: int) -> EmbeddedKafka:
    return EmbeddedKafka(
        directory=folder / "kafka",
        logs=folder / "logs",
        progress=lambda _: None,
        brokers=brokers,
    )


async def _make_topic(kafka: EmbeddedKafka, name: str, broker: KafkaBroker) -> None:
    """Make a topic of one partition that lies on one broker alone."""
    admin = AIOKafkaAdminClient(bootstrap_servers=kafka.bootstrap)
    await admin.start()
    try:
        made = NewTopic(name, -1, -1, replica_assignments={0: [broker.node]})
        await admin.create_topics([made])
    finally:
        await admin.close()


async def _kill(brokers: Iterable[KafkaBroker]) -> None:
    for broker in brokers:
        assert broker.process is not None
        os.kill(broker.process.pid, signal.SIGKILL)
        await broker.process.stop()


async def _partition(kafka: EmbeddedKafka, topic: str) -> dict[str, Any]:
    admin = AIOKafkaAdminClient(bootstrap_servers=kafka.bootstrap)
    await admin.start()
    try:
        described = await admin.describe_topics([topic])
    finally:
        await admin.close()
    partition: dict[str, Any] = described[0]["partitions"][0]
    return partition


async def _until_in_sync(kafka: EmbeddedKafka, replicas: int) -> None:
    async def in_sync() -> bool:
        return len((await _partition(kafka, COMMANDS_TOPIC))["isr"]) == replicas

    await until(in_sync, within_s=_PATIENCE_S, what=f"{replicas} replicas in sync")


async def _command_ids(kafka: EmbeddedKafka) -> list[tuple[int, int]]:
    """Return offset and command id of every record of the log."""
    reader = KafkaLogReader(bootstrap=kafka.bootstrap, topic=COMMANDS_TOPIC, client_id="test")
    await reader.start({0: 0})
    found: list[tuple[int, int]] = []
    try:
        end = (await reader.end_offsets())[0]
        while not found or found[-1][0] + 1 < end:
            for record in (await reader.read(timeout_ms=1_000)).get(0, []):
                commands = decode_commands(_MARKET.market_id, record.value)
                found.append((record.offset, int(commands["command_id"][0])))
    finally:
        await reader.stop()
    return found
