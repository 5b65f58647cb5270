"""What is going on in the markets: books, trades, candles, tickers and rules."""

import time
from fractions import Fraction
from typing import Any

import msgspec
import numpy as np
from redis.asyncio import Redis
from redis.exceptions import RedisError

from actors.book.records import EVENT_DTYPE
from actors.platform.channels import depth_key
from actors.platform.messages import Candle, DepthSnapshot
from analytics.client import CandleSource
from analytics.intervals import Interval, UnknownIntervalError, parse_interval
from analytics.messages import IndicatorSeries, Ticker
from api.asgi.errors import InvalidRequestError
from api.exchange.decimals import UNITS, MarketUnits, format_fraction, format_units
from api.exchange.pairs import PairViews
from api.exchange.storage.trades import TradesRepository
from api.exchange.watch import MarketWatch
from api.rest.views import (
    OrderRow,
    TradeView,
    level_views,
    order_row,
    timestamp,
    trade_id_of,
    trade_view,
)

_DEPTH = msgspec.msgpack.Decoder(DepthSnapshot)


class Markets:
    """Answer questions about markets. Everything may raise ApiError and ForkastError."""

    def __init__(
        self,
        *,
        redis: Redis,
        pairs: PairViews,
        trades: TradesRepository,
        candles: CandleSource,
        watch: MarketWatch,
    ) -> None:
        self._redis = redis
        self._pairs = pairs
        self._trades = trades
        self._candles = candles
        self._watch = watch

    def rules(self, units: MarketUnits) -> dict[str, Any]:
        """Return a market's rules and status."""
        market = units.market
        base, _, quote = market.pair.partition("-")
        return {
            "tradingPair": market.pair,
            "baseCurrency": base,
            "quoteCurrency": quote,
            "status": "HALTED" if self._watch.is_halted(market) else "TRADING",
            "tickSize": units.price(1),
            "lotSize": units.quantity(1),
            "minNotional": units.notional(market.min_notional_units),
            "maxPrice": units.price(market.max_price_ticks),
            "maxQuantity": units.quantity(market.max_quantity_lots),
            "protectionPercent": format_units(market.protection_bps * UNITS // 100),
        }

    async def book(self, units: MarketUnits, *, depth: int) -> dict[str, Any]:
        """Return the book's price levels, best first."""
        snapshot = await self._depth(units, depth)
        return {
            "tradingPair": units.market.pair,
            "sequence": snapshot.sequence,
            "updateId": snapshot.update_id,
            "updatedAt": timestamp(snapshot.time_us),
            "bids": level_views(units, snapshot.bids[:depth]),
            "asks": level_views(units, snapshot.asks[:depth]),
        }

    async def book_orders(self, units: MarketUnits, *, depth: int) -> dict[str, Any]:
        """Return the book's orders in priority, at most `depth` a side.

        The book is at least as new as its `sequence` says.
        """
        snapshot = await self._pairs.depth(units.market.pair, 1)
        bids, asks = await self._pairs.orders(units.market.pair, depth)
        return {
            "tradingPair": units.market.pair,
            "sequence": snapshot.sequence,
            "updateId": snapshot.update_id,
            "updatedAt": timestamp(snapshot.time_us),
            "bids": _order_rows(units, bids),
            "asks": _order_rows(units, asks),
        }

    async def fingerprint(self, units: MarketUnits) -> dict[str, Any]:
        """Return where the pair's actor stands in its log, and the hash of its book there."""
        found = await self._pairs.fingerprint(units.market.pair)
        return {
            "tradingPair": units.market.pair,
            "nextOffset": found.next_offset,
            "sequence": found.sequence,
            "openOrders": found.open_orders,
            "stateHash": str(found.state_hash),
        }

    async def trades(
        self, units: MarketUnits, *, limit: int, before: int | None
    ) -> list[TradeView]:
        """Return trades, newest first; `before` is the id of a trade that was shown."""
        market_id = units.market.market_id
        if before is None:
            found = await self._trades.page(market_id=market_id, limit=limit)
        else:
            found = await self._trades.page(
                market_id=market_id, limit=limit, before_trade_id=trade_id_of(before)
            )
        return [trade_view(units, trade) for trade in found]

    async def candles(
        self, units: MarketUnits, *, interval: str, limit: int, before_s: int | None
    ) -> list[dict[str, Any]]:
        """Return candles, oldest first."""
        found = await self._candles.candles(
            pair=units.market.pair,
            interval=_interval(interval),
            limit=limit,
            before_s=before_s,
            now_s=int(time.time()),
        )
        return [candle_view(units, candle) for candle in found]

    async def indicators(
        self,
        units: MarketUnits,
        *,
        interval: str,
        names: list[str],
        limit: int,
        before_s: int | None,
    ) -> dict[str, Any]:
        """Return indicators at the candles of the same question, oldest first."""
        known = _interval(interval)
        found = await self._candles.indicators(
            pair=units.market.pair,
            interval=known,
            names=names,
            limit=limit,
            before_s=before_s,
            now_s=int(time.time()),
        )
        return {
            "tradingPair": units.market.pair,
            "interval": known.value,
            "times": found.times_s,
            "series": _series(units, found),
        }

    async def ticker(self, units: MarketUnits) -> dict[str, Any]:
        """Return the last price, what 24 hours made of it, and the touch."""
        ticker = await self._candles.ticker(pair=units.market.pair, now_s=int(time.time()))
        snapshot = await self._depth(units, 1)
        return _ticker_view(units, ticker) | {
            "bestBid": units.price(snapshot.bids[0][0]) if snapshot.bids else None,
            "bestAsk": units.price(snapshot.asks[0][0]) if snapshot.asks else None,
            "sequence": snapshot.sequence,
        }

    async def _depth(self, units: MarketUnits, depth: int) -> DepthSnapshot:
        pair = units.market.pair
        try:
            cached: Any = await self._redis.get(depth_key(pair))
            if cached is not None:
                return _DEPTH.decode(cached)
        except (RedisError, OSError, msgspec.MsgspecError):
            # What Redis does not have the pair itself knows.
            pass
        return await self._pairs.depth(pair, depth)


def candle_view(units: MarketUnits, candle: Candle) -> dict[str, Any]:
    """Return a candle as clients see it; `time` is in seconds since the Unix epoch."""
    return {
        "time": candle.open_time_s,
        "open": units.price(candle.open_ticks),
        "high": units.price(candle.high_ticks),
        "low": units.price(candle.low_ticks),
        "close": units.price(candle.close_ticks),
        "volume": units.quantity(candle.volume_lots),
    }


def _ticker_view(units: MarketUnits, ticker: Ticker | None) -> dict[str, Any]:
    """Return the part of a ticker that trades make; all None before the first trade."""
    pair = units.market.pair
    if ticker is None:
        unknown = ("lastPrice", "openPrice", "highPrice", "lowPrice")
        changes = {"priceChange": "0", "priceChangePercent": "0", "volume": "0"}
        nothing: dict[str, Any] = dict.fromkeys(unknown)
        return {"tradingPair": pair} | nothing | changes | {"quoteVolume": "0", "trades": 0}
    percent = Fraction(ticker.change_ticks * 100, ticker.open_ticks)
    return {
        "tradingPair": pair,
        "lastPrice": units.price(ticker.last_ticks),
        "openPrice": units.price(ticker.open_ticks),
        "highPrice": units.price(ticker.high_ticks),
        "lowPrice": units.price(ticker.low_ticks),
        "priceChange": units.price(ticker.change_ticks),
        "priceChangePercent": format_fraction(round(percent, 4)),
        "volume": units.quantity(ticker.volume_lots),
        "quoteVolume": units.notional(ticker.notional),
        "trades": ticker.trade_count,
    }


def _series(units: MarketUnits, found: IndicatorSeries) -> dict[str, list[str | None]]:
    prices = {
        name: [None if value is None else units.price_between(value) for value in values]
        for name, values in found.prices.items()
    }
    numbers = {
        name: [None if value is None else format_units(round(value * UNITS)) for value in values]
        for name, values in found.numbers.items()
    }
    return prices | numbers


def _order_rows(units: MarketUnits, images: bytes) -> list[OrderRow]:
    return [order_row(units, image) for image in np.frombuffer(images, EVENT_DTYPE)]


def _interval(text: str) -> Interval:
    try:
        return parse_interval(text)
    except UnknownIntervalError as error:
        raise InvalidRequestError("UNKNOWN_INTERVAL", f"{error}.") from None
