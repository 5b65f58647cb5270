"""Seam between the candle actor and whoever calls it from another process."""

from typing import Protocol

from actors.follow.interface import FollowerInterface
from actors.platform.config import CandlesConfig
from actors.platform.messages import Candle
from analytics.messages import CandlesStatus, IndicatorSeries, LiveCandle, Ticker

# Under this name Postgres keeps how far the actor has read.
CONSUMER = "candles"


class CandlesInterface(FollowerInterface, Protocol):
    """What the candle actor answers; see `CandleAggregator`, which does the work."""

    async def config(self) -> CandlesConfig:
        """Return what the aggregator works with now."""
        ...

    async def status(self) -> CandlesStatus: ...

    async def candles(
        self, pair: str, interval: str, limit: int, before_s: int | None, now_s: int
    ) -> list[Candle]: ...

    async def indicators(
        self,
        pair: str,
        interval: str,
        names: list[str],
        limit: int,
        before_s: int | None,
        now_s: int,
    ) -> IndicatorSeries: ...

    async def live(self, pair: str, interval: str) -> LiveCandle | None: ...

    async def seconds(self, pair: str, since_s: int, limit: int) -> list[Candle] | None: ...

    async def ticker(self, pair: str, now_s: int) -> Ticker | None: ...
