"""Markets: rules, books, trades, candles, tickers; most in two spellings."""

from typing import Annotated, Literal

from fastapi import APIRouter, Query
from starlette.responses import Response

from actors.book.market import INT64_MAX
from analytics.studies import UnknownIndicatorError, parse_study
from api.asgi.errors import InvalidRequestError, json_response
from api.rest import schemas
from api.rest.openapi import errors
from api.rest.routes.common import GatewayOf, MarketOf

router = APIRouter(tags=["markets"])

_SECONDS_MAX = 253_402_300_799
_INDICATORS_MAX = 8


@router.get("/markets", summary="List the markets", response_model=list[schemas.Market])
async def list_markets(gateway: GatewayOf) -> Response:
    """List all markets with tick and lot size, limits and status."""
    return json_response([gateway.market_data.rules(units) for units in gateway.markets.values()])


@router.get(
    "/market/orderbook/{pair}",
    summary="Read a book",
    response_model=schemas.Book,
    response_model_exclude_none=True,
    responses=errors(400, 404, 503),
)
@router.get(
    "/market/{pair}/orderbook",
    name="get_book_too",
    summary="Read a book (other spelling)",
    response_model=schemas.Book,
    response_model_exclude_none=True,
    responses=errors(400, 404, 503),
)
async def get_book(
    gateway: GatewayOf,
    market: MarketOf,
    depth: Annotated[int, Query(ge=1, le=1_000, description="Rows a side.")] = 50,
    view: Annotated[
        Literal["levels", "orders"],
        Query(description="`levels`: a row a price; `orders`: a row an order, in queue order."),
    ] = "levels",
) -> Response:
    """Read the book, best price first on both sides."""
    if view == "orders":
        return json_response(await gateway.market_data.book_orders(market, depth=depth))
    return json_response(await gateway.market_data.book(market, depth=depth))


@router.get(
    "/market/trades/{pair}",
    summary="List trades",
    response_model=list[schemas.Trade],
    responses=errors(400, 404, 503),
)
@router.get(
    "/market/{pair}/trades",
    name="list_trades_too",
    summary="List trades (other spelling)",
    response_model=list[schemas.Trade],
    responses=errors(400, 404, 503),
)
async def list_trades(
    gateway: GatewayOf,
    market: MarketOf,
    limit: Annotated[int, Query(ge=1, le=1_000)] = 100,
    before: Annotated[
        int | None, Query(ge=1, le=INT64_MAX, description="The id of a trade; older ones follow.")
    ] = None,
) -> Response:
    """List trades, newest first."""
    return json_response(await gateway.market_data.trades(market, limit=limit, before=before))


@router.get(
    "/charts/candlesticks/{pair}",
    summary="List candles",
    response_model=list[schemas.Candle],
    responses=errors(400, 404, 503),
)
@router.get(
    "/charts/{pair}/candles",
    name="list_candles_too",
    summary="List candles (other spelling)",
    response_model=list[schemas.Candle],
    responses=errors(400, 404, 503),
)
async def list_candles(
    gateway: GatewayOf,
    market: MarketOf,
    interval: Annotated[
        str,
        Query(
            description="1s, 10s, 1m, 5m, 15m, 1h, 4h, 1d or 1w; also spelled out: `10 second`.",
            examples=["1h"],
        ),
    ] = "1m",
    limit: Annotated[int, Query(ge=1, le=5_000)] = 100,
    before: Annotated[
        int | None,
        Query(ge=1, le=_SECONDS_MAX, description="Only windows that open before this second."),
    ] = None,
) -> Response:
    """List the newest candles, oldest first. A window without trades carries the last close."""
    return json_response(
        await gateway.market_data.candles(market, interval=interval, limit=limit, before_s=before)
    )


@router.get(
    "/charts/{pair}/indicators",
    summary="List indicators",
    response_model=schemas.Indicators,
    responses=errors(400, 404, 503),
)
async def list_indicators(
    gateway: GatewayOf,
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
    limit: Annotated[int, Query(ge=1, le=5_000)] = 100,
    before: Annotated[
        int | None,
        Query(ge=1, le=_SECONDS_MAX, description="Only windows that open before this second."),
    ] = None,
) -> Response:
    """List indicators at the newest candles, oldest first, over what was before them too."""
    asked = _studies(names)
    return json_response(
        await gateway.market_data.indicators(
            market, interval=interval, names=asked, limit=limit, before_s=before
        )
    )


@router.get(
    "/market/{pair}/ticker",
    summary="Read a ticker",
    response_model=schemas.Ticker,
    responses=errors(404, 503),
)
async def get_ticker(gateway: GatewayOf, market: MarketOf) -> Response:
    """Read the last price, what 24 hours made of it, and the best bid and ask."""
    return json_response(await gateway.market_data.ticker(market))


def _studies(names: str) -> list[str]:
    asked = [name for name in names.split(",") if name]
    if not 1 <= len(asked) <= _INDICATORS_MAX:
        raise InvalidRequestError("MALFORMED", f"names must be 1 to {_INDICATORS_MAX} indicators.")
    try:
        return [parse_study(name).name for name in asked]
    except UnknownIndicatorError as error:
        raise InvalidRequestError("UNKNOWN_INDICATOR", f"{error}.") from None
