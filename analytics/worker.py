"""The candle aggregator as an actor's class: light to import, at work from construction on."""

import os

from actors.platform.config import CandlesConfig
from actors.platform.logs import configure_logs
from actors.platform.memory import settle
from actors.platform.messages import Candle
from actors.platform.topology import Topology
from analytics.messages import CandlesStatus, IndicatorSeries, LiveCandle, Ticker


class CandlesWorker:
    """Run a `CandleAggregator`; the methods are its own.

    Polars is imported here, in the actor's process and nowhere else, with one thread: it reads
    the number once, at import.
    """

    def __init__(self, config: CandlesConfig) -> None:
        configure_logs(config.log_format, pairs=config.topology.pairs)
        os.environ.setdefault("POLARS_MAX_THREADS", "1")
        from analytics.aggregator import CandleAggregator

        self._log_format = config.log_format
        self._aggregator = CandleAggregator(config)
        self._aggregator.start()
        settle()

    async def config(self) -> CandlesConfig:
        """Return what the aggregator works with now."""
        return await self._aggregator.config()

    async def follow(self, topology: Topology) -> None:
        """Go on with these markets, and name them in the logs."""
        configure_logs(self._log_format, pairs=topology.pairs)
        await self._aggregator.follow(topology)

    async def ping(self) -> str:
        """Answer at once, whatever the servers do."""
        return await self._aggregator.ping()

    async def status(self) -> CandlesStatus:
        """Return how the actor stands."""
        return await self._aggregator.status()

    async def candles(
        self, pair: str, interval: str, limit: int, before_s: int | None, now_s: int
    ) -> list[Candle]:
        """Return candles, oldest first; see `CandleAggregator.candles`."""
        return await self._aggregator.candles(pair, interval, limit, before_s, now_s)

    async def indicators(
        self,
        pair: str,
        interval: str,
        names: list[str],
        limit: int,
        before_s: int | None,
        now_s: int,
    ) -> IndicatorSeries:
        """Return indicators at candles; see `CandleAggregator.indicators`."""
        return await self._aggregator.indicators(pair, interval, names, limit, before_s, now_s)

    async def live(self, pair: str, interval: str) -> LiveCandle | None:
        """Return the newest second and its window; see `CandleAggregator.live`."""
        return await self._aggregator.live(pair, interval)

    async def seconds(self, pair: str, since_s: int, limit: int) -> list[Candle] | None:
        """Return seconds with trades; see `CandleAggregator.seconds`."""
        return await self._aggregator.seconds(pair, since_s, limit)

    async def ticker(self, pair: str, now_s: int) -> Ticker | None:
        """Return a market's last 24 hours; see `CandleAggregator.ticker`."""
        return await self._aggregator.ticker(pair, now_s)
