"""Fills: what a user's orders have traded."""

import re
from typing import Annotated

from fastapi import APIRouter, Query
from starlette.responses import Response

from actors.book.market import INT64_MAX
from api.asgi.errors import json_response
from api.exchange.refusals import malformed
from api.exchange.storage.fills import FillPosition
from api.json.orders import market_named
from api.json.views import market_id_of, trade_id_of, trade_id_text
from api.rest.answers import FillsPage, fill_view
from api.rest.openapi import answer, errors
from api.rest.routes.common import ExchangeOf, StrictRoute, Whole

router = APIRouter(tags=["orders"], route_class=StrictRoute)

_CURSOR = re.compile(r"([0-9]{1,18})-([0-9]{1,19})-([mt])", re.ASCII)


@router.get(
    "/fills",
    summary="List fills",
    response_model=None,
    responses=answer(FillsPage) | errors(400, 404, 503),
)
async def list_fills(
    exchange: ExchangeOf,
    user_id: Annotated[int, Query(alias="userId", ge=1, le=INT64_MAX), Whole],
    trading_pair: Annotated[str | None, Query(alias="tradingPair")] = None,
    limit: Annotated[int, Query(ge=1, le=1_000), Whole] = 100,
    cursor: Annotated[str | None, Query(description="`nextCursor` of the page before.")] = None,
) -> Response:
    """List what a user's orders have traded, newest first, in all markets or one."""
    market = None if trading_pair is None else market_named(exchange.markets, trading_pair).market
    found = await exchange.history.fills(
        user_id=user_id,
        market=market,
        limit=limit,
        after=None if cursor is None else _position(cursor),
    )
    by_id = {decimals.market.market_id: decimals for decimals in exchange.markets.values()}
    page = FillsPage(
        fills=[fill_view(by_id[fill.market_id], fill) for fill in found],
        next_cursor=_cursor(FillPosition.of(found[-1])) if len(found) == limit else None,
    )
    return json_response(page)


def _cursor(position: FillPosition) -> str:
    trade = trade_id_text(position.market_id, position.trade_id)
    return f"{position.time_us}-{trade}-{'m' if position.is_maker else 't'}"


def _position(cursor: str) -> FillPosition:
    """Return what `_cursor` has written. Raises Refusal."""
    match = _CURSOR.fullmatch(cursor)
    if match is None or int(match[2]) > INT64_MAX:
        raise malformed("cursor must be the nextCursor of a page.")
    return FillPosition(
        time_us=int(match[1]),
        market_id=market_id_of(int(match[2])),
        trade_id=trade_id_of(int(match[2])),
        is_maker=match[3] == "m",
    )
