"""Markets: rules, books, trades, candles, tickers; most in two spellings."""

from typing import Annotated, Literal

from fastapi import APIRouter, Query
from starlette.responses import Response

from actors.book.market import INT64_MAX
from analytics.intervals import Interval, UnknownIntervalError, parse_interval
from analytics.studies import UnknownIndicatorError, parse_study
from api.asgi.errors import json_response
from api.exchange.refusals import InvalidError, malformed
from api.json.views import Trade, market_id_of, trade_id_of, trade_view
from api.rest.answers import (
    Book,
    Candle,
    Indicators,
    Market,
    Ticker,
    book_orders_view,
    book_view,
    candle_view,
    indicators_view,
    market_view,
    ticker_view,
)
from api.rest.openapi import answer, errors
from api.rest.routes.common import ExchangeOf, MarketOf, StrictRoute, Whole

router = APIRouter(tags=["markets"], route_class=StrictRoute)

_SECONDS_MAX = 253_402_300_799
_INDICATORS_MAX = 8


@router.get(
    "/markets",
    summary="List the markets",
    response_model=None,
    responses=answer(list[Market]),
)
async def list_markets(exchange: ExchangeOf) -> Response:
    """List all markets with tick and lot size, limits and status."""
    return json_response(
        [
            market_view(decimals, halted=exchange.market_data.is_halted(decimals.market))
            for decimals in exchange.markets.values()
        ]
    )


@router.get(
    "/market/orderbook/{pair}",
    summary="Read a book",
    response_model=None,
    responses=answer(Book) | errors(400, 404, 503),
)
@router.get(
    "/market/{pair}/orderbook",
    name="get_book_too",
    summary="Read a book (other spelling)",
    response_model=None,
    responses=answer(Book) | errors(400, 404, 503),
)
async def get_book(
    exchange: ExchangeOf,
    market: MarketOf,
    depth: Annotated[int, Query(ge=1, le=1_000, description="Rows a side."), Whole] = 50,
    view: Annotated[
        Literal["levels", "orders"],
        Query(description="`levels`: a row a price; `orders`: a row an order, in queue order."),
    ] = "levels",
) -> Response:
    """Read the book, best price first on both sides."""
    if view == "orders":
        orders = await exchange.market_data.orders(market.market, depth)
        return json_response(book_orders_view(market, orders))
    levels = await exchange.market_data.depth(market.market, depth)
    return json_response(book_view(market, levels, limit=depth))


@router.get(
    "/market/trades/{pair}",
    summary="List trades",
    response_model=None,
    responses=answer(list[Trade]) | errors(400, 404, 503),
)
@router.get(
    "/market/{pair}/trades",
    name="list_trades_too",
    summary="List trades (other spelling)",
    response_model=None,
    responses=answer(list[Trade]) | errors(400, 404, 503),
)
async def list_trades(
    exchange: ExchangeOf,
    market: MarketOf,
    limit: Annotated[int, Query(ge=1, le=1_000), Whole] = 100,
    before: Annotated[
        int | None,
        Query(ge=1, le=INT64_MAX, description="The id of a trade; older ones follow."),
        Whole,
    ] = None,
) -> Response:
    """List trades, newest first."""
    if before is not None and market_id_of(before) != market.market.market_id:
        raise malformed(f"before must be the id of a trade of {market.market.pair}.")
    trades = await exchange.history.trades(
        market.market,
        limit=limit,
        before_trade_id=None if before is None else trade_id_of(before),
    )
    return json_response([trade_view(market, trade) for trade in trades])


@router.get(
    "/charts/candlesticks/{pair}",
    summary="List candles",
    response_model=None,
    responses=answer(list[Candle]) | errors(400, 404, 503),
)
@router.get(
    "/charts/{pair}/candles",
    name="list_candles_too",
    summary="List candles (other spelling)",
    response_model=None,
    responses=answer(list[Candle]) | errors(400, 404, 503),
)
async def list_candles(
    exchange: ExchangeOf,
    market: MarketOf,
    interval: Annotated[
        str,
        Query(
            description="1s, 10s, 1m, 5m, 15m, 1h, 4h, 1d or 1w; also spelled out: `10 second`.",
            examples=["1h"],
        ),
    ] = "1m",
    limit: Annotated[int, Query(ge=1, le=5_000), Whole] = 100,
    before: Annotated[
        int | None,
        Query(ge=1, le=_SECONDS_MAX, description="Only windows that open before this second."),
        Whole,
    ] = None,
) -> Response:
    """List the newest candles, oldest first. A window without trades carries the last close."""
    candles = await exchange.market_data.candles(
        market.market, _interval(interval), limit=limit, before_s=before
    )
    return json_response([candle_view(market, candle) for candle in candles])


@router.get(
    "/charts/{pair}/indicators",
    summary="List indicators",
    response_model=None,
    responses=answer(Indicators) | errors(400, 404, 503),
)
async def list_indicators(
    exchange: ExchangeOf,
    market: MarketOf,
    names: Annotated[
        str,
        Query(
            description="Of sma, ema, vwap, bollinger and rsi, each with a length of 1 to 200 or "
            "its usual one; at most 8, separated by commas.",
            examples=["sma20,bollinger20,rsi14"],
        ),
    ],
    interval: Annotated[str, Query(description="As for candles.", examples=["1h"])] = "1m",
    limit: Annotated[int, Query(ge=1, le=5_000), Whole] = 100,
    before: Annotated[
        int | None,
        Query(ge=1, le=_SECONDS_MAX, description="Only windows that open before this second."),
        Whole,
    ] = None,
) -> Response:
    """List indicators at the newest candles, oldest first; one value a candle, however asked for.

    sma, bollinger and vwap begin where the market has `length` candles, ema there with their mean;
    rsi begins a candle later with the mean of the first `length` changes, as Wilder's. ema looks
    back 13 lengths, rsi 25 from the last move and no further: less than 4e-11 of the weight is
    older. rsi is null where the price has not moved for 24 lengths, vwap where nothing was traded.
    """
    known = _interval(interval)
    found = await exchange.market_data.indicators(
        market.market, known, _studies(names), limit=limit, before_s=before
    )
    return json_response(indicators_view(market, known.value, found))


@router.get(
    "/market/{pair}/ticker",
    summary="Read a ticker",
    response_model=None,
    responses=answer(Ticker) | errors(404, 503),
)
async def get_ticker(exchange: ExchangeOf, market: MarketOf) -> Response:
    """Read the last price, what 24 hours made of it, and the best bid and ask."""
    ticker = await exchange.market_data.ticker(market.market)
    touch = await exchange.market_data.depth(market.market, 1)
    return json_response(ticker_view(market, ticker, touch))


def _studies(names: str) -> list[str]:
    asked = [name for name in names.split(",") if name]
    if not 1 <= len(asked) <= _INDICATORS_MAX:
        raise malformed(f"names must be 1 to {_INDICATORS_MAX} indicators.")
    try:
        return [parse_study(name).name for name in asked]
    except UnknownIndicatorError as error:
        raise InvalidError("UNKNOWN_INDICATOR", f"{error}.") from None


def _interval(text: str) -> Interval:
    try:
        return parse_interval(text)
    except UnknownIntervalError as error:
        raise InvalidError("UNKNOWN_INTERVAL", f"{error}.") from None
