"""A place to try the writer: a database and a topic of its own on the real servers."""

import asyncio
import itertools
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import Self

import asyncpg
from aiokafka import AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from actors.book.market import Market
from actors.platform.config import Servers
from actors.platform.topology import Topology
from actors.writer.writer import PostgresWriter
from cluster.data.migrate import migrate
from cluster.plan import Platform
from tests.beds.databases import own_database

MARKETS = 3
DEADLINE_S = 30.0


def topology() -> Topology:
    """Return a few markets with limits that let every kind of order through."""
    return Topology(
        tuple(
            Market(
                market_id=number,
                pair=f"T{number}-USD",
                tick_size="0.01",
                lot_size="0.0001",
                min_notional_units=300,
                max_price_ticks=1_000_000,
                max_quantity_lots=10_000,
                protection_bps=700,
                client_id_memory=60,
            )
            for number in range(1, MARKETS + 1)
        )
    )


async def until(
    condition: Callable[[], Awaitable[object]], *, deadline_s: float = DEADLINE_S
) -> None:
    """Return when the condition holds; fail when it does not in time."""
    async with asyncio.timeout(deadline_s):
        while not await condition():  # noqa: ASYNC110 - the condition lives in a server
            await asyncio.sleep(0.01)


@dataclass(kw_only=True)
class Bed:
    """Servers, database and topic of one test; `producer` writes records as the router would."""

    servers: Servers
    topic: str
    producer: AIOKafkaProducer
    connection: asyncpg.Connection
    topology: Topology = field(default_factory=topology)

    @classmethod
    @asynccontextmanager
    async def made(cls, servers: Servers) -> AsyncIterator[Self]:
        """Make database and topic, and take both away at the end."""
        name = f"writer_{uuid.uuid4().hex[:12]}"
        admin = AIOKafkaAdminClient(bootstrap_servers=servers.kafka_bootstrap)
        producer = AIOKafkaProducer(bootstrap_servers=servers.kafka_bootstrap, acks="all")
        async with AsyncExitStack() as stack:
            url = await stack.enter_async_context(own_database(servers.postgres_url))
            await migrate(url, topology())
            await admin.start()
            stack.push_async_callback(admin.close)
            await admin.create_topics(
                [NewTopic(name=name, num_partitions=MARKETS, replication_factor=1)]
            )
            stack.push_async_callback(admin.delete_topics, [name])
            await producer.start()
            stack.push_async_callback(producer.stop)
            bed = cls(
                servers=replace(servers, postgres_url=url),
                topic=name,
                producer=producer,
                connection=await asyncpg.connect(url),
            )
            yield bed
            await bed.connection.close()

    async def reconnect(self) -> None:
        """Open the test's own connection again."""
        self.connection = await asyncpg.connect(self.servers.postgres_url)

    async def publish(self, market_id: int, *records: bytes) -> None:
        """Append records to a market's partition and return when they are kept."""
        market = self.topology.by_id(market_id)
        sent = [
            await self.producer.send(self.topic, record, partition=self.topology.partition(market))
            for record in records
        ]
        await asyncio.gather(*sent)

    @asynccontextmanager
    async def writing(self, **options: int) -> AsyncIterator[PostgresWriter]:
        """Run a writer, and stop it at the end."""
        platform = Platform(servers=self.servers, topology=self.topology, data_directory="")
        writer = PostgresWriter(platform.writer, topic=self.topic, **options)  # type: ignore[arg-type]
        writer.start()
        try:
            yield writer
        finally:
            await writer.stop()

    async def last_sequences(self) -> dict[int, int]:
        """Return the stored positions by market, 0 where none is stored yet."""
        rows = await self.connection.fetch(
            "SELECT market_id, last_sequence FROM consumer_positions"
        )
        stored = {row["market_id"]: row["last_sequence"] for row in rows}
        return {market.market_id: stored.get(market.market_id, 0) for market in self.topology}

    async def until_written(self, sequences: dict[int, int]) -> None:
        """Return when every market is written up to its sequence."""

        async def written() -> bool:
            return await self.last_sequences() == sequences

        await until(written)

    async def cut_the_writer_off(self) -> int:
        """End the writer's connection from the server's side; return how many there were."""
        rows = await self.connection.fetch(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE application_name = 'forkast-writer' AND datname = current_database()"
        )
        return len(rows)


def interleaved(by_market: dict[int, list[bytes]]) -> list[tuple[int, bytes]]:
    """Return all markets' records, one of each in turn."""
    rounds = itertools.zip_longest(
        *([(key, value) for value in values] for key, values in by_market.items())
    )
    return [item for one in rounds for item in one if item is not None]
