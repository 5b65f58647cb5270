"""Verification: market after market, each check in its turn."""

import contextlib
import time
from collections.abc import AsyncIterator
from dataclasses import replace

import asyncpg
from redis.asyncio import Redis
from redis.exceptions import RedisError

from actors.book.market import Market
from actors.book.vocabulary import EventKind
from actors.log.ends import KafkaLogEnds
from actors.log.reader import KafkaLogReader
from actors.platform.errors import LogError
from actors.platform.topology import COMMANDS_TOPIC, EVENTS_TOPIC, TRADES_TOPIC
from cluster.data.epochs.record import epoch_number
from cluster.data.patience import patiently
from cluster.errors import CannotVerifyError
from cluster.plan import Platform
from cluster.verify.books import BookSource, check_book
from cluster.verify.candles import check_candles
from cluster.verify.depth import check_depth
from cluster.verify.fills import Fills
from cluster.verify.fold import LogFold, Progress
from cluster.verify.orders import check_orders
from cluster.verify.positions import check_not_beyond, read_reached, wait_for_positions
from cluster.verify.priority import Priority
from cluster.verify.published import Published
from cluster.verify.report import Check, Report
from cluster.verify.sides import Sides
from cluster.verify.start import beginning
from cluster.verify.trades import check_trades

CLIENT_ID = "forkast-verify"
COMMAND_TIMEOUT_S = 120
_FETCH_WAIT_MS = 20
CHECKS = (
    *("log", "fills", "sides", "priority", "depth", "books", EVENTS_TOPIC, TRADES_TOPIC),
    *("positions", "trades", "orders", "candles"),
)


async def verify(
    platform: Platform,
    *,
    books: BookSource | None = None,
    running: bool | None = None,
    from_snapshot: bool = False,
    reach_timeout_s: float = 60.0,
    progress: Progress | None = None,
) -> Report:
    """Fold every pair's log anew and compare everything else with it.

    Records that come after the start of the check are left out. On a platform that is `running`
    (by default where `books` are given) router, writer and candles have `reach_timeout_s` to come
    to where the log ended, and the live books are compared too; on one that is stopped they may
    have stopped earlier, and all up to there must be right. `from_snapshot` begins each fold at
    the oldest snapshot that is kept. Raises CannotVerifyError.
    """
    began_s = time.monotonic()
    is_running = running if running is not None else books is not None
    one = Verification(
        platform,
        books=books,
        from_snapshot=from_snapshot,
        reach_timeout_s=reach_timeout_s if is_running else None,
        progress=progress,
    )
    try:
        await one.run()
    except (LogError, RedisError, OSError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
        raise CannotVerifyError(f"the servers could not be read: {error!r}") from error
    checks = [check for check in one.checks.values() if check.name not in one.skipped]
    return Report(
        checks=checks,
        ok=not any(check.differences for check in checks),
        markets=len(platform.topology),
        commands=one.commands,
        events=one.events,
        seconds=round(time.monotonic() - began_s, 3),
        skipped=one.skipped,
    )


class Verification:
    """The state of one `verify`; without `reach_timeout_s` the platform is stopped."""

    def __init__(
        self,
        platform: Platform,
        *,
        books: BookSource | None,
        from_snapshot: bool,
        reach_timeout_s: float | None,
        progress: Progress | None,
    ) -> None:
        self.checks = {name: Check(name=name) for name in CHECKS}
        self.skipped = {} if books is not None else {"books": "the platform is not running"}
        self.commands = self.events = 0
        self._platform = platform
        self._books = books
        self._from_snapshot = from_snapshot
        self._reach_timeout_s = reach_timeout_s
        self._progress = progress

    async def run(self) -> None:
        """Check every market. Raises what the servers' clients raise."""
        servers = self._platform.servers
        ends = await self._ends()
        connection = await asyncpg.connect(
            servers.postgres_url,
            timeout=10,
            command_timeout=COMMAND_TIMEOUT_S,
            server_settings={"application_name": CLIENT_ID, "jit": "off"},
        )
        try:
            self._platform = replace(self._platform, epoch=await epoch_number(connection))
            async with Redis.from_url(servers.redis_url, socket_timeout=10) as redis:
                for market in self._platform.topology:
                    await self._check(market, ends[market.market_id], connection, redis)
        finally:
            await connection.close(timeout=5)

    async def _ends(self) -> dict[int, int]:
        topology = self._platform.topology
        log = KafkaLogEnds(
            bootstrap=self._platform.servers.kafka_bootstrap,
            topic=COMMANDS_TOPIC,
            client_id=CLIENT_ID,
        )
        await patiently(log.start)
        try:
            partitions = [topology.partition(market) for market in topology]
            found = await patiently(lambda: log.end_offsets(partitions))
        finally:
            await log.stop()
        return {market.market_id: found[topology.partition(market)] for market in topology}

    async def _check(
        self, market: Market, end: int, connection: asyncpg.Connection, redis: Redis
    ) -> None:
        async with self._folding(market) as fold:
            since_us = fold.book.time_us
            await fold.to_offset(end, self._progress)
            # What is asked of all others: that they come to here.
            reach = fold.book.sequence
            until_s = None
            if self._reach_timeout_s is not None:
                until_s = time.monotonic() + self._reach_timeout_s
            await check_depth(
                self.checks["depth"],
                redis,
                fold,
                levels=self._platform.limits.depth_levels,
                until_s=until_s,
            )
            if self._books is not None:
                book_until_s = until_s if until_s is not None else time.monotonic()
                await check_book(self.checks["books"], self._books, fold, until_s=book_until_s)
            for topic in (EVENTS_TOPIC, TRADES_TOPIC):
                await self._check_topic(topic, fold, reach=reach, until_s=until_s)
            if until_s is not None:
                await wait_for_positions(
                    self.checks["positions"],
                    connection,
                    fold,
                    events=reach,
                    trades=_last_trade(fold, reach),
                    until_s=until_s,
                )
            async with connection.transaction(isolation="repeatable_read", readonly=True):
                await self._check_tables(connection, fold, since_us=since_us)
            self.commands += fold.commands
            self.events += fold.spool.last_sequence - fold.spool.base_sequence

    @contextlib.asynccontextmanager
    async def _folding(self, market: Market) -> AsyncIterator[LogFold]:
        partition = self._platform.topology.partition(market)
        async with self._reading(COMMANDS_TOPIC, partition) as reader:
            sides = Sides(self.checks["sides"], market.pair)
            priority = Priority(self.checks["priority"], market.pair)
            first_offset = (await patiently(reader.first_offsets))[partition]
            book, next_offset = beginning(
                self._platform, market, first_offset, from_snapshot=self._from_snapshot
            )
            reader.seek(partition, next_offset)
            fold = LogFold(
                market=market,
                partition=partition,
                reader=reader,
                book=book,
                next_offset=next_offset,
                judges=(Fills(self.checks["fills"], market.pair), sides, priority),
                check=self.checks["log"],
            )
            sides.adopt(fold.first_orders)
            priority.adopt(fold.first_orders)
            try:
                yield fold
            finally:
                fold.close()

    @contextlib.asynccontextmanager
    async def _reading(self, topic: str, partition: int) -> AsyncIterator[KafkaLogReader]:
        reader = KafkaLogReader(
            bootstrap=self._platform.servers.kafka_bootstrap,
            topic=topic,
            client_id=CLIENT_ID,
            # A broker answers a connection's requests in turn: to ask where the log ends waits for
            # a fetch that has found nothing yet.
            wait_ms=_FETCH_WAIT_MS,
        )
        await patiently(lambda: reader.start({partition: 0}))
        try:
            yield reader
        finally:
            await reader.stop()

    async def _check_topic(
        self, topic: str, fold: LogFold, *, reach: int, until_s: float | None
    ) -> None:
        partition = self._platform.topology.partition(fold.market)
        only = EventKind.TRADE if topic == TRADES_TOPIC else None
        published = Published(self.checks[topic], fold, only=only)
        async with self._reading(topic, partition) as reader:
            reader.seek(partition, (await patiently(reader.first_offsets))[partition])
            await published.read(reader, partition, reach=reach, until_s=until_s)
        if not await fold.to_sequence(published.last_sequence):
            self.checks[topic].differ(
                f"{fold.market.pair}: {topic} has come to sequence {published.last_sequence}, "
                f"the log ends at {fold.book.sequence}"
            )

    async def _check_tables(
        self, connection: asyncpg.Connection, fold: LogFold, *, since_us: int
    ) -> None:
        # Rows and positions of one moment: what the rows must be is known to the sequence.
        reached = await read_reached(connection, fold.market.market_id)
        await check_not_beyond(self.checks["positions"], fold, reached)
        await check_trades(self.checks["trades"], connection, fold, written=reached.written)
        await check_orders(self.checks["orders"], connection, fold, written=reached.written)
        await check_candles(
            self.checks["candles"], connection, fold, counted=reached.counted, since_us=since_us
        )


def _last_trade(fold: LogFold, up_to: int) -> int:
    """Return the sequence of the last trade up to a sequence, 0 where there is none."""
    last = 0
    for trades in fold.spool.trades(1_000_000):
        known = trades["sequence"][trades["sequence"] <= up_to]
        last = int(known[-1]) if len(known) else last
    return last
