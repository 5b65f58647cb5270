"""What the router's tests share: platforms of their own markets, and the judgement of events."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import numpy as np

from actors.book.codec import decode_commands
from actors.book.market import Market
from actors.book.naive import NaiveBook
from actors.book.records import EVENT_DTYPE, RecordArray
from actors.book.vocabulary import EventKind
from actors.log.commands import KafkaCommandLog
from actors.log.kafka import KafkaLog
from actors.log.reader import KafkaLogReader
from actors.log.tail import EventTail, events_after
from actors.platform.config import Limits, Servers
from actors.platform.errors import LogError
from actors.platform.topology import COMMANDS_TOPIC, EVENTS_TOPIC, TRADES_TOPIC, Topology
from actors.router.router import OrderRouter
from cluster.plan import Platform
from tests.beds.waiting import until


def make_platform(
    servers: Servers, markets: Sequence[Market], directory: Path, **limits: int
) -> Platform:
    """Return a platform of these markets alone."""
    return Platform(
        servers=servers,
        topology=Topology(tuple(markets)),
        data_directory=str(directory),
        namespace="forkast-tests",
        stream_token="the token of the tests",
        limits=Limits(**({"snapshot_every_commands": 500} | limits)),
    )


@asynccontextmanager
async def running(router: OrderRouter) -> AsyncIterator[OrderRouter]:
    """Run a router and see that it was well to the end."""
    await router.start()
    try:
        yield router
        router.check_health()
    finally:
        await router.stop()


@asynccontextmanager
async def command_log(platform: Platform) -> AsyncIterator[KafkaCommandLog]:
    """Open the writing side of the log."""
    log = KafkaCommandLog(
        bootstrap=platform.servers.kafka_bootstrap,
        topology=platform.topology,
        pending_commands=100_000,
    )
    await log.start()
    try:
        yield log
    finally:
        await log.stop()


async def append_singly(log: KafkaCommandLog, market: Market, commands: RecordArray) -> None:
    """Append each command in a record of its own, all at once."""
    offsets = await asyncio.gather(
        *(log.append(market, commands[i : i + 1]) for i in range(len(commands)))
    )
    assert sorted(offsets) == list(range(offsets[0], offsets[0] + len(offsets)))


class Judge:
    """Read what was published for one market and compare it with a fold of its log."""

    def __init__(self, platform: Platform, market: Market) -> None:
        self._platform = platform
        self._market = market
        self._partition = platform.topology.partition(market)

    async def log_values(self) -> list[bytes]:
        """Return the records of the market's log."""
        reader = KafkaLogReader(
            bootstrap=self._platform.servers.kafka_bootstrap,
            topic=COMMANDS_TOPIC,
            client_id="judge",
        )
        await reader.start({self._partition: 0})
        try:
            end = (await reader.end_offsets())[self._partition]
            values: list[bytes] = []
            while len(values) < end:
                arrived = await reader.read(timeout_ms=5_000)
                values += [record.value for record in arrived[self._partition]]
        finally:
            await reader.stop()
        return values

    async def expected(self) -> tuple[RecordArray, int]:
        """Return the events and the hash of the naive book after the whole log."""
        values = await self.log_values()
        book = NaiveBook(self._market)
        commands = [decode_commands(self._market.market_id, value) for value in values]
        return book.apply(np.concatenate(commands)).events, book.state_hash()

    async def published(self, topic: str) -> RecordArray:
        """Return what a consumer that drops repeats has seen; a hole in it fails the test."""
        tail = EventTail(
            KafkaLog(self._platform.servers.kafka_bootstrap), client_id="judge", topic=topic
        )
        await tail.start({self._partition: 0})
        seen: list[RecordArray] = [np.empty(0, EVENT_DTYPE)]
        last_sequence = 0
        try:
            end = (await tail.end_offsets())[self._partition]
            while tail.positions[self._partition] < end:
                arrived = await tail.read(timeout_ms=5_000)
                for tailed in arrived[self._partition]:
                    record = tailed.record
                    if topic == EVENTS_TOPIC:
                        assert record.first_sequence <= last_sequence + 1
                    seen.append(events_after(record, last_sequence))
                    last_sequence = max(last_sequence, record.last_sequence)
        finally:
            await tail.stop()
        return np.concatenate(seen)

    async def agrees(self) -> bool:
        """Say whether as many events and trades have been published as the log asks for."""
        try:
            expected, _ = await self.expected()
            trades = expected[expected["kind"] == EventKind.TRADE]
            return len(await self.published(EVENTS_TOPIC)) >= len(expected) and len(
                await self.published(TRADES_TOPIC)
            ) >= len(trades)
        except LogError:
            return False

    async def rule(self) -> int:
        """Fail unless both topics hold exactly the fold's events; return its state hash."""
        await until(self.agrees, what=f"{self._market.pair}: all events published")
        expected, state_hash = await self.expected()
        events = await self.published(EVENTS_TOPIC)
        assert events["sequence"].tolist() == list(range(1, len(expected) + 1))
        assert events.tobytes() == expected.tobytes()
        trades = await self.published(TRADES_TOPIC)
        assert trades.tobytes() == expected[expected["kind"] == EventKind.TRADE].tobytes()
        return state_hash
