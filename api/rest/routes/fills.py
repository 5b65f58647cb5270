"""Fills: what a user's orders have traded."""

from typing import Annotated

from fastapi import APIRouter, Query
from starlette.responses import Response

from actors.book.market import INT64_MAX
from api.asgi.errors import json_response
from api.rest import schemas
from api.rest.openapi import errors
from api.rest.routes.common import GatewayOf, market_named

router = APIRouter(tags=["orders"])


@router.get(
    "/fills",
    summary="List fills",
    response_model=schemas.FillsPage,
    responses=errors(400, 404, 503),
)
async def list_fills(
    gateway: GatewayOf,
    user_id: Annotated[int, Query(alias="userId", ge=1, le=INT64_MAX)],
    trading_pair: Annotated[str | None, Query(alias="tradingPair")] = None,
    limit: Annotated[int, Query(ge=1, le=1_000)] = 100,
    cursor: Annotated[str | None, Query(description="`nextCursor` of the page before.")] = None,
) -> Response:
    """List what a user's orders have traded, newest first, in all markets or one."""
    fills, next_cursor = await gateway.fills.page(
        user_id=user_id,
        market=None if trading_pair is None else market_named(gateway, trading_pair).market,
        limit=limit,
        cursor=cursor,
    )
    return json_response({"fills": fills, "nextCursor": next_cursor})
