"""The candle actor: trades of the log become one-second candles, in memory and in Postgres.

Like the writer it keeps nothing that Postgres does not keep: whatever goes wrong, it closes both
connections, waits a little, and starts again from the stored positions and candles. Meanwhile it
answers from what it holds.
"""

import asyncio
import os
import time
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager, suppress
from typing import Any

import asyncpg
import structlog
from tenacity import AsyncRetrying, RetryCallState

from actors.follow.tail import MarketTail
from actors.platform.config import Platform
from actors.platform.errors import StorageUnavailableError
from actors.platform.messages import Candle
from actors.platform.topology import TRADES_TOPIC
from analytics import queries
from analytics.curves import compute
from analytics.frames import to_candles
from analytics.history import History
from analytics.intake import TradeIntake
from analytics.intervals import parse_interval
from analytics.messages import CandlesStatus, IndicatorSeries, LiveCandle, Ticker
from analytics.publisher import CandlePublisher
from analytics.series import RecentSeconds
from analytics.store import CandleStore
from analytics.studies import parse_study

_log = structlog.get_logger(__name__)

CONSUMER = "candles"
SECONDS_IN_MEMORY = 2 * 86_400
FLUSH_INTERVAL_S = 0.3
TRADES_PER_FLUSH = 100_000
READY_TIMEOUT_S = 10.0
POOL_SIZE = 2
COMMAND_TIMEOUT_S = 10.0
PAUSE_MIN_S = 0.1
PAUSE_MAX_S = 5.0


class CandleAggregator:
    """Keep the candles of one platform equal to the trades of `topic`.

    `seconds_in_memory` bounds the seconds with trades that are held of each market; a day and
    more, or the ticker forgets the earlier part of the 24 hours.
    """

    def __init__(
        self,
        platform: Platform,
        *,
        consumer: str = CONSUMER,
        topic: str = TRADES_TOPIC,
        seconds_in_memory: int = SECONDS_IN_MEMORY,
        flush_interval_s: float = FLUSH_INTERVAL_S,
    ) -> None:
        self._platform = platform
        self._consumer = consumer
        self._topic = topic
        self._seconds_in_memory = seconds_in_memory
        self._flush_interval_s = flush_interval_s
        self._tasks: list[asyncio.Task[None]] = []
        self._ready = asyncio.Event()
        self._series: dict[int, RecentSeconds] = {}
        self._intake = TradeIntake(())
        self._pool = asyncpg.create_pool(
            platform.servers.postgres_url,
            min_size=0,
            max_size=POOL_SIZE,
            command_timeout=COMMAND_TIMEOUT_S,
            server_settings={"application_name": "forkast-candles", "jit": "off"},
        )
        self._history = History(self._pool)
        self._publisher = CandlePublisher(
            redis_url=platform.servers.redis_url, topology=platform.topology
        )
        self._failures = 0
        self._error = ""
        self._connected = False
        self._trades = self._written = self._transactions = self._records_behind = 0
        self._commit_time_s = self._commit_duration_ms = 0.0

    def start(self) -> None:
        """Start the loops in the running event loop; nothing happens where they run already."""
        if not self._tasks:
            self._begin(self._run())
            self._begin(self._publisher.run())

    async def stop(self) -> None:
        """End the loops after the transaction that is under way, and disconnect."""
        for task in self._tasks:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task
        self._tasks.clear()
        await self._publisher.close()
        # A pool that nobody has asked yet cannot be ended.
        with suppress(asyncpg.InterfaceError):
            self._pool.terminate()

    async def ping(self) -> str:
        """Answer at once, whatever the servers do."""
        return self._consumer

    async def candles(
        self, pair: str, interval: str, limit: int, before_s: int | None, now_s: int
    ) -> list[Candle]:
        """Return the newest `limit` candles that opened before `before_s`, oldest first.

        Times are seconds since the epoch; without `before_s` the last window is the one that
        holds `now_s`. Raises KeyError (pair), UnknownIntervalError, ValueError (limit) and
        StorageUnavailableError.
        """
        market_id = self._platform.topology.market(pair).market_id
        known = parse_interval(interval)
        series = await self._recent(market_id)
        async with self._storage() as history:
            return await queries.candles(
                series,
                history,
                market_id=market_id,
                interval=known,
                limit=limit,
                before_s=before_s,
                now_s=now_s,
            )

    async def indicators(
        self,
        pair: str,
        interval: str,
        names: list[str],
        limit: int,
        before_s: int | None,
        now_s: int,
    ) -> IndicatorSeries:
        """Return indicators at the candles of the same `limit` and `before_s`, oldest first.

        Raises UnknownIndicatorError, and as `candles` does.
        """
        studies = [parse_study(name) for name in names]
        lookback = max((study.lookback for study in studies), default=0)
        found = await self.candles(pair, interval, limit + lookback, before_s, now_s)
        return compute(found, studies, limit=limit)

    async def live(self, pair: str, interval: str, now_s: int) -> LiveCandle | None:
        """Return the open window and the newest second, None before the first trade.

        Raises as `candles` does.
        """
        market_id = self._platform.topology.market(pair).market_id
        known = parse_interval(interval)
        series = await self._recent(market_id)
        async with self._storage() as history:
            return await queries.live_candle(
                series, history, market_id=market_id, interval=known, now_s=now_s
            )

    async def ticker(self, pair: str, now_s: int) -> Ticker | None:
        """Return a market's last 24 hours, None before the first trade.

        Raises KeyError (pair) and StorageUnavailableError.
        """
        market_id = self._platform.topology.market(pair).market_id
        return queries.ticker(await self._recent(market_id), market_id=market_id, now_s=now_s)

    async def status(self) -> CandlesStatus:
        """Return how the actor stands, without waiting for anything."""
        return CandlesStatus(
            process_id=os.getpid(),
            healthy=self._connected and not self._error and not self._intake.faults,
            connected=self._connected,
            error=self._error,
            faults=dict(self._intake.faults),
            trades=self._trades,
            missing_trades=self._intake.missing_trades,
            candles_written=self._written,
            transactions=self._transactions,
            records_behind=self._records_behind,
            last_commit_time_s=self._commit_time_s,
            last_commit_duration_ms=self._commit_duration_ms,
            seconds_held={key: len(series) for key, series in self._series.items()},
        )

    def _begin(self, loop: Coroutine[Any, Any, None]) -> None:
        self._tasks.append(asyncio.get_running_loop().create_task(loop, name=self._consumer))

    async def _recent(self, market_id: int) -> RecentSeconds:
        try:
            async with asyncio.timeout(READY_TIMEOUT_S):
                await self._ready.wait()
        except TimeoutError as error:
            raise StorageUnavailableError(
                f"candles have not been restored: {self._error}"
            ) from error
        return self._series[market_id]

    @asynccontextmanager
    async def _storage(self) -> AsyncIterator[History]:
        try:
            await self._pool
            yield self._history
        except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
            raise StorageUnavailableError(f"older candles are not at hand: {error!r}") from error

    async def _run(self) -> None:
        async for attempt in AsyncRetrying(wait=self._pause, before_sleep=self._report):
            with attempt:
                await self._follow()

    async def _follow(self) -> None:
        """Fold and write from the stored positions on, until something fails."""
        servers = self._platform.servers
        store = await CandleStore.connect(servers.postgres_url, consumer=self._consumer)
        try:
            restored = await store.restore(self._platform.topology, seconds=self._seconds_in_memory)
            tail = await MarketTail.open(
                self._platform.topology,
                restored.positions,
                bootstrap=servers.kafka_bootstrap,
                topic=self._topic,
            )
            try:
                self._intake = TradeIntake(restored.positions)
                self._intake.faults.update(tail.lost)
                self._series = {
                    market_id: RecentSeconds(
                        market_id=market_id,
                        bound=self._seconds_in_memory,
                        candles=candles,
                        complete=len(candles) < self._seconds_in_memory,
                    )
                    for market_id, candles in restored.candles.items()
                }
                self._ready.set()
                self._connected, self._error = True, ""
                while True:
                    await self._gather(tail)
                    await self._flush(store)
                    self._records_behind = tail.records_behind()
            finally:
                await tail.close()
        finally:
            self._connected = False
            await store.close()

    async def _gather(self, tail: MarketTail) -> None:
        """Read for one flush interval, or until there is enough for a flush."""
        until_s = time.monotonic() + self._flush_interval_s
        while self._intake.pending_trades < TRADES_PER_FLUSH:
            left_s = until_s - time.monotonic()
            if left_s <= 0:
                return
            for record in await tail.read(timeout_ms=int(left_s * 1000)):
                self._intake.add(
                    market_id=record.market_id, offset=record.offset, value=record.value
                )

    async def _flush(self, store: CandleStore) -> None:
        trades, before, after = self._intake.take()
        if not after:
            return
        changed = {key: self._series[key].add(events) for key, events in trades.items()}
        for market_id, frame in changed.items():
            self._publisher.put(market_id, to_candles(market_id, frame))
        started = time.perf_counter()
        writing = asyncio.ensure_future(store.write(changed, before=before, after=after))
        try:
            # A query cancelled half-way can wedge its connection (asyncpg#873); its own time
            # limit ends it.
            await asyncio.shield(writing)
        except asyncio.CancelledError:
            await asyncio.wait([writing])
            raise
        for market_id in trades:
            self._series[market_id].trim()
        self._failures = 0
        self._trades += sum(len(events) for events in trades.values())
        self._written += sum(len(frame) for frame in changed.values())
        self._transactions += 1
        self._commit_time_s = time.time()
        self._commit_duration_ms = (time.perf_counter() - started) * 1e3

    def _pause(self, _: RetryCallState) -> float:
        self._failures += 1
        return min(PAUSE_MAX_S, PAUSE_MIN_S * 2.0 ** min(self._failures, 10))

    def _report(self, state: RetryCallState) -> None:
        failure = state.outcome.exception() if state.outcome else None
        self._error = f"{type(failure).__name__}: {failure}"
        _log.warning("candles_restart", why=self._error, pause_s=state.upcoming_sleep)
