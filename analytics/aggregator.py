"""The candle actor: a follower of the trades, and answers about one-second candles.

While a server is away it answers from what it holds.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import replace

import asyncpg
import msgspec

from actors.follow.follower import Follower
from actors.log.kafka import KafkaLog
from actors.log.ports import Log
from actors.platform.config import CandlesConfig
from actors.platform.errors import StorageUnavailableError
from actors.platform.messages import Candle
from actors.platform.tasks import end
from actors.platform.topology import TRADES_TOPIC, Topology
from analytics import queries
from analytics.curves import compute
from analytics.fold import CandleFold
from analytics.history import History
from analytics.intervals import parse_interval
from analytics.messages import CandlesStatus, IndicatorSeries, LiveCandle, Ticker
from analytics.ports import CONSUMER
from analytics.publisher import CandlePublisher
from analytics.series import RecentSeconds
from analytics.studies import parse_study

SECONDS_IN_MEMORY = 2 * 86_400
REST_S = 0.2
TRADES_PER_FLUSH = 100_000
READY_TIMEOUT_S = 10.0
POOL_SIZE = 2
COMMAND_TIMEOUT_S = 10.0


class CandleAggregator:
    """Keep the candles of one platform equal to the trades of `topic`.

    `seconds_in_memory` bounds the seconds with trades that are held of each market; a day and
    more, or the ticker forgets the earlier part of the 24 hours. `log` is the config's Kafka
    unless it is given.
    """

    def __init__(
        self,
        config: CandlesConfig,
        *,
        log: Log | None = None,
        consumer: str = CONSUMER,
        topic: str = TRADES_TOPIC,
        seconds_in_memory: int = SECONDS_IN_MEMORY,
        rest_s: float = REST_S,
    ) -> None:
        self._config = config
        self._consumer = consumer
        self._publishing: asyncio.Task[None] | None = None
        self._pool = asyncpg.create_pool(
            config.postgres_url,
            min_size=0,
            max_size=POOL_SIZE,
            command_timeout=COMMAND_TIMEOUT_S,
            server_settings={"application_name": "forkast-candles", "jit": "off"},
        )
        self._history = History(self._pool)
        self._publisher = CandlePublisher(redis_url=config.redis_url, topology=config.topology)
        self._fold = CandleFold(
            config,
            log or KafkaLog(config.kafka_bootstrap),
            consumer=consumer,
            topic=topic,
            seconds_in_memory=seconds_in_memory,
            tell=self._publisher.put,
        )
        self._follower = Follower(
            self._fold,
            name=consumer,
            topology=config.topology,
            pending_max=TRADES_PER_FLUSH,
            rest_s=rest_s,
        )

    def start(self) -> None:
        """Start the loops in the running event loop; nothing happens where they run already."""
        self._follower.start()
        if self._publishing is None:
            loop = asyncio.get_running_loop()
            self._publishing = loop.create_task(self._publisher.run(), name="candle publisher")

    async def stop(self) -> None:
        """End the loops after the transaction that is under way, and disconnect."""
        await self._follower.stop()
        if self._publishing is not None:
            await end([self._publishing])
            self._publishing = None
        await self._publisher.close()
        # A pool that nobody has asked yet cannot be ended.
        with suppress(asyncpg.InterfaceError):
            self._pool.terminate()

    async def config(self) -> CandlesConfig:
        """Return what the aggregator works with now."""
        return self._config

    async def follow(self, topology: Topology) -> None:
        """Go on with these markets, after the transaction that is under way."""
        self._config = replace(self._config, topology=topology)
        self._publisher.follow(topology)
        self._follower.follow(topology)

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
        market_id = self._config.topology.market(pair).market_id
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

        A candle's value is the same whatever else is asked for. Raises UnknownIndicatorError,
        and as `candles` does.
        """
        studies = [parse_study(name) for name in names]
        lookback = max((study.lookback for study in studies), default=0)
        found = await self.candles(pair, interval, limit + lookback, before_s, now_s)
        # Half a second in the worst case: others are answered meanwhile.
        return await asyncio.to_thread(compute, found, studies, limit=limit)

    async def live(self, pair: str, interval: str) -> LiveCandle | None:
        """Return the newest second and the window that holds it, None before the first trade.

        Raises as `candles` does.
        """
        market_id = self._config.topology.market(pair).market_id
        known = parse_interval(interval)
        series = await self._recent(market_id)
        async with self._storage() as history:
            return await queries.live_candle(series, history, market_id=market_id, interval=known)

    async def seconds(self, pair: str, since_s: int, limit: int) -> list[Candle] | None:
        """Return the first `limit` seconds with trades from `since_s` on, oldest first.

        None where memory does not reach back so far. Raises KeyError (pair) and
        StorageUnavailableError.
        """
        market_id = self._config.topology.market(pair).market_id
        series = await self._recent(market_id)
        return queries.seconds(series, market_id=market_id, since_s=since_s, limit=limit)

    async def ticker(self, pair: str, now_s: int) -> Ticker | None:
        """Return a market's last 24 hours, None before the first trade.

        Raises KeyError (pair) and StorageUnavailableError.
        """
        market_id = self._config.topology.market(pair).market_id
        return queries.ticker(await self._recent(market_id), market_id=market_id, now_s=now_s)

    async def status(self) -> CandlesStatus:
        """Return how the actor stands, without waiting for anything."""
        return CandlesStatus(
            **msgspec.structs.asdict(self._follower.status()),
            trades=self._fold.trades,
            missing_trades=self._fold.missing_trades,
            candles_written=self._fold.candles_written,
            seconds_held=self._fold.seconds_held,
        )

    async def _recent(self, market_id: int) -> RecentSeconds:
        try:
            async with asyncio.timeout(READY_TIMEOUT_S):
                return await self._fold.recent(market_id)
        except TimeoutError as error:
            raise StorageUnavailableError(
                f"candles have not been restored: {self._follower.error}"
            ) from error

    @asynccontextmanager
    async def _storage(self) -> AsyncIterator[History]:
        try:
            await self._pool
            yield self._history
        except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
            raise StorageUnavailableError(f"older candles are not at hand: {error!r}") from error
