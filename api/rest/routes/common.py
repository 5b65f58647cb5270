"""What routes share: the gateway, a market by its pair, query values of lean routes."""

import re
from typing import Annotated, Any

from fastapi import Depends, Path, Request

from actors.book.market import INT64_MAX
from actors.book.reasons import Reason
from api.asgi.errors import InvalidRequestError, refusal
from api.asgi.http import read_body
from api.exchange.decimals import MarketUnits
from api.exchange.gateway import Gateway
from api.rest import requests

WAIT_MS_MAX = 10_000
_WHOLE = re.compile(r"[0-9]{1,19}", re.ASCII)


def gateway_of(request: Request) -> Gateway:
    """Return the gateway that the application opened."""
    gateway: Gateway = request.app.state.gateway
    return gateway


GatewayOf = Annotated[Gateway, Depends(gateway_of)]


def market_of(
    pair: Annotated[str, Path(description="A trading pair.", examples=["BTC-USD"])],
    gateway: GatewayOf,
) -> MarketUnits:
    """Return the market of a path's pair. Raises NotFoundError."""
    return market_named(gateway, pair)


MarketOf = Annotated[MarketUnits, Depends(market_of)]


def market_named(gateway: Gateway, pair: str) -> MarketUnits:
    """Return the market of a pair. Raises NotFoundError."""
    units = gateway.markets.get(pair)
    if units is None:
        raise refusal(Reason.UNKNOWN_MARKET)
    return units


async def body_of(request: Request) -> bytes:
    """Return a request's body within the platform's limit."""
    limit_bytes = gateway_of(request).platform.limits.body_bytes
    return await read_body(request, limit_bytes=limit_bytes)


def whole(request: Request, name: str, *, most: int = INT64_MAX) -> int | None:
    """Return a query value as a whole number of 0 to `most`. Raises InvalidRequestError."""
    text = request.query_params.get(name)
    if text is None:
        return None
    if not _WHOLE.fullmatch(text) or int(text) > most:
        raise InvalidRequestError("MALFORMED", f"{name} must be a whole number from 0 to {most}.")
    return int(text)


def acting_user(request: Request, from_body: int | str | None) -> int | None:
    """Return who acts: `userId` of the query, else of the body, else nobody in particular."""
    text = request.query_params.get("userId")
    value = from_body if text is None else text
    return None if value is None else requests.parse_user_id(value)


def query_parameter(name: str, schema: dict[str, Any], description: str) -> dict[str, Any]:
    """Return a query parameter's entry in the OpenAPI document."""
    return {
        "name": name,
        "in": "query",
        "required": False,
        "schema": schema,
        "description": description,
    }
