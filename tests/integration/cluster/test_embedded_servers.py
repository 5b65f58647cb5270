"""The embedded servers as real processes: their data, their end, what they say when they fail."""

import asyncio
import errno
import os
import signal
import subprocess
import sys
from pathlib import Path

import asyncpg
import psutil
import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from redis.asyncio import Redis

from actors.log.reader import KafkaLogReader
from actors.platform.config import Servers
from actors.platform.topology import COMMANDS_TOPIC
from cluster.data.migrate import migrate
from cluster.data.topics import make_topics
from cluster.embedded.kafka import EmbeddedKafka
from cluster.embedded.postgres import EmbeddedPostgres, _everyone_may_enter
from cluster.embedded.process import free_port
from cluster.embedded.servers import EmbeddedServers
from cluster.errors import ServerStartError
from cluster.markets import default_topology
from cluster.tools.platforms import REPOSITORY

_HOLD = """
import asyncio, sys
from pathlib import Path
from cluster.embedded.servers import EmbeddedServers

async def main():
    servers = EmbeddedServers(Path(sys.argv[1]))
    await servers.start()
    print(*(process.pid for process in servers.processes()), flush=True)
    await asyncio.sleep(600)

asyncio.run(main())
"""


async def test_a_second_start_finds_the_data_of_the_first_and_so_does_a_watched_restart(
    tmp_path: Path,
) -> None:
    topology = default_topology()
    first = EmbeddedServers(tmp_path)
    servers = await first.start()
    try:
        assert await migrate(servers.postgres_url, topology)
        await make_topics(servers.kafka_bootstrap, topology)
        await _leave_traces(servers)
    finally:
        await first.stop()
    second = EmbeddedServers(tmp_path)
    servers = await second.start()
    try:
        assert await migrate(servers.postgres_url, topology) == []
        await make_topics(servers.kafka_bootstrap, topology)
        assert await _traces(servers) == ("a user", b"a record", b"a value")
        killed = second.processes()
        restarts: asyncio.Queue[None] = asyncio.Queue()
        full_disk = [OSError(errno.ENOSPC, "No space left on device")] * len(killed)

        def restarted() -> None:
            if full_disk:
                raise full_disk.pop()
            restarts.put_nowait(None)

        watch = asyncio.create_task(second.watch(restarted))
        readers = await _reading(servers)
        for process in killed:
            os.kill(process.pid, signal.SIGKILL)
        # aiokafka's own end of a consumer without a broker would cancel whoever waits for it.
        await asyncio.gather(*(reader.read(timeout_ms=200) for reader in readers))
        await asyncio.gather(*(reader.stop() for reader in readers))
        for _ in killed:
            await asyncio.wait_for(restarts.get(), 60)
        watch.cancel()
        # What Valkey holds may be lost, and is when it is killed.
        assert (await _traces(servers))[:2] == ("a user", b"a record")
    finally:
        await second.stop()
    assert all(not process.running() for process in second.processes())


def test_servers_that_start_together_are_given_ports_of_their_own() -> None:
    ports = [free_port() for _ in range(500)]
    assert len(set(ports)) == len(ports)


def test_the_servers_do_not_outlive_a_killed_parent(tmp_path: Path) -> None:
    parent = subprocess.Popen(
        [sys.executable, "-c", _HOLD, str(tmp_path)],
        cwd=REPOSITORY,
        stdout=subprocess.PIPE,
        text=True,
    )
    with parent:
        assert parent.stdout is not None
        servers = [psutil.Process(int(number)) for number in parent.stdout.readline().split()]
        assert len(servers) == 3
        parent.send_signal(signal.SIGKILL)
    _, alive = psutil.wait_procs(servers, timeout=30)
    assert not alive


async def test_a_folder_with_foreign_files_is_refused_and_nothing_runs(tmp_path: Path) -> None:
    (tmp_path / "postgres").mkdir()
    (tmp_path / "postgres" / "base").touch()
    servers = EmbeddedServers(tmp_path)
    with pytest.raises(ServerStartError, match=r"holds files but no Postgres data"):
        await servers.start()
    assert all(not process.running() for process in servers.processes())


async def test_a_half_made_folder_of_postgres_is_made_again(tmp_path: Path) -> None:
    half = tmp_path / "postgres.new"
    half.mkdir()
    (half / "PG_VERSION").write_text("18")
    postgres = EmbeddedPostgres(directory=tmp_path / "postgres", logs=tmp_path / "logs")
    try:
        await postgres.start()
        connection = await asyncpg.connect(postgres.url)
        await connection.close()
    finally:
        await postgres.process.stop()


async def test_a_server_that_ends_at_once_is_told_in_one_line(tmp_path: Path) -> None:
    postgres = EmbeddedPostgres(directory=tmp_path / "postgres", logs=tmp_path / "logs")
    try:
        await postgres.start()
    finally:
        await postgres.process.stop()
    (tmp_path / "postgres" / "PG_VERSION").write_text("9\n")
    broken = EmbeddedPostgres(directory=tmp_path / "postgres", logs=tmp_path / "logs")
    with pytest.raises(ServerStartError) as caught:
        await broken.start()
    message = str(caught.value)
    assert "before it was ready" in message
    assert "incompatible" in message
    assert str(tmp_path / "logs" / "postgres.log") in message
    assert "\n" not in message


async def test_a_broker_whose_folder_is_torn_is_told_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "kafka").mkdir()
    (tmp_path / "kafka" / "meta.properties").write_text("cluster.id=\n")
    broker = EmbeddedKafka(
        directory=tmp_path / "kafka", logs=tmp_path / "logs", progress=lambda _: None
    )
    with pytest.raises(ServerStartError, match=r"Kafka ended with code \d+ before it was ready"):
        await broker.start()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root runs Postgres as another account")
async def test_root_runs_postgres_as_another_account_in_a_folder_of_its_own(tmp_path: Path) -> None:
    assert not await asyncio.to_thread(_everyone_may_enter, tmp_path)
    postgres = EmbeddedPostgres(directory=tmp_path / "postgres", logs=tmp_path / "logs")
    try:
        await postgres.start()
        assert psutil.Process(postgres.process.pid).uids().real != 0
    finally:
        await postgres.process.stop()


async def _reading(servers: Servers) -> list[KafkaLogReader]:
    readers = [
        KafkaLogReader(
            bootstrap=servers.kafka_bootstrap, topic=COMMANDS_TOPIC, client_id="a-reader"
        )
        for _ in range(10)
    ]
    await asyncio.gather(*(reader.start({0: 0}) for reader in readers))
    return readers


async def _leave_traces(servers: Servers) -> None:
    connection = await asyncpg.connect(servers.postgres_url)
    await connection.execute("INSERT INTO users (user_id, name) VALUES (77, 'a user')")
    await connection.close()
    async with Redis.from_url(servers.redis_url) as redis:
        await redis.set("a key", "a value")
    producer = AIOKafkaProducer(bootstrap_servers=servers.kafka_bootstrap, acks="all")
    await producer.start()
    await producer.send_and_wait(COMMANDS_TOPIC, b"a record", partition=3)
    await producer.stop()


async def _traces(servers: Servers) -> tuple[str, bytes, bytes]:
    connection = await asyncpg.connect(servers.postgres_url)
    user = await connection.fetchval("SELECT name FROM users WHERE user_id = 77")
    await connection.close()
    async with Redis.from_url(servers.redis_url) as redis:
        value = await redis.get("a key")
    consumer = AIOKafkaConsumer(bootstrap_servers=servers.kafka_bootstrap)
    await consumer.start()
    try:
        partition = TopicPartition(COMMANDS_TOPIC, 3)
        consumer.assign([partition])
        await consumer.seek_to_beginning(partition)
        record = await asyncio.wait_for(consumer.getone(), 20)
    finally:
        await consumer.stop()
    return user, record.value, value  # type: ignore[return-value]
