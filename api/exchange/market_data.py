"""Market data: books, candles, indicators, tickers and status."""

import time
from dataclasses import dataclass
from typing import Any

import msgspec
from redis.asyncio import Redis
from redis.exceptions import RedisError

from actors.book.market import Market
from actors.book.records import RecordArray
from actors.pair.messages import Fingerprint
from actors.platform.channels import depth_key
from actors.platform.messages import Candle, DepthSnapshot
from analytics.client import CandleSource
from analytics.intervals import Interval
from analytics.messages import IndicatorSeries, Ticker
from api.exchange.pairs import PairViews, order_images
from api.exchange.watch import MarketWatch

_DEPTH = msgspec.msgpack.Decoder(DepthSnapshot)


@dataclass(frozen=True, kw_only=True, slots=True)
class BookOrders:
    """A book's orders in priority (`EVENT_DTYPE` images), and the depth's head at that time.

    The orders are at least as new as the head's `sequence` says.
    """

    head: DepthSnapshot
    bids: RecordArray
    asks: RecordArray


@dataclass(frozen=True, kw_only=True, slots=True)
class MarketData:
    """Answer questions about markets. Everything may raise ForkastError."""

    redis: Redis
    pairs: PairViews
    candle_source: CandleSource
    watch: MarketWatch

    def is_halted(self, market: Market) -> bool:
        """Say whether a market takes cancels only."""
        return self.watch.is_halted(market)

    async def depth(self, market: Market, limit: int) -> DepthSnapshot:
        """Return at least `limit` levels of each side where there are as many, best first."""
        try:
            cached: Any = await self.redis.get(depth_key(market.pair))
            if cached is not None:
                return _DEPTH.decode(cached)
        except (RedisError, OSError, msgspec.MsgspecError):
            # What Redis does not have the pair itself knows.
            pass
        return await self.pairs.depth(market.pair, limit)

    async def orders(self, market: Market, limit: int) -> BookOrders:
        """Return the book's orders in priority, at most `limit` a side."""
        head = await self.pairs.depth(market.pair, 1)
        bids, asks = await self.pairs.orders(market.pair, limit)
        return BookOrders(head=head, bids=order_images(bids), asks=order_images(asks))

    async def fingerprint(self, market: Market) -> Fingerprint:
        """Return where the pair's actor stands in its log, and the hash of its book there."""
        return await self.pairs.fingerprint(market.pair)

    async def candles(
        self, market: Market, interval: Interval, *, limit: int, before_s: int | None
    ) -> list[Candle]:
        """Return candles, oldest first."""
        return await self.candle_source.candles(
            pair=market.pair,
            interval=interval,
            limit=limit,
            before_s=before_s,
            now_s=int(time.time()),
        )

    async def indicators(
        self,
        market: Market,
        interval: Interval,
        names: list[str],
        *,
        limit: int,
        before_s: int | None,
    ) -> IndicatorSeries:
        """Return indicators at the candles of the same question, oldest first."""
        return await self.candle_source.indicators(
            pair=market.pair,
            interval=interval,
            names=names,
            limit=limit,
            before_s=before_s,
            now_s=int(time.time()),
        )

    async def ticker(self, market: Market) -> Ticker | None:
        """Return what 24 hours of trades made, None before the first trade."""
        return await self.candle_source.ticker(pair=market.pair, now_s=int(time.time()))
