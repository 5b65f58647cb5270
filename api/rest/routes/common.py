"""What routes share: the exchange, a market by its pair, strict queries, bodies."""

from collections.abc import Callable, Collection, Coroutine, Iterator
from typing import Annotated, Any, cast

from fastapi import Depends, Path, Request
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute
from pydantic import BeforeValidator
from starlette.responses import Response

from actors.book.market import INT64_MAX
from actors.platform.config import GatewayConfig
from api.asgi.errors import HttpError
from api.asgi.http import READING, read_body
from api.exchange.decimals import MarketDecimals
from api.exchange.exchange import Exchange
from api.exchange.refusals import malformed
from api.json.numbers import whole_number
from api.json.orders import market_named

WAIT_MS_MAX = 10_000


def exchange_of(request: Request) -> Exchange:
    """Return the exchange that the application opened."""
    exchange: Exchange = request.app.state.exchange
    return exchange


def config_of(request: Request) -> GatewayConfig:
    """Return what the application was told."""
    config: GatewayConfig = request.app.state.config
    return config


ExchangeOf = Annotated[Exchange, Depends(exchange_of)]
ConfigOf = Annotated[GatewayConfig, Depends(config_of)]


def market_of(
    pair: Annotated[str, Path(description="A trading pair.", examples=["BTC-USD"])],
    exchange: ExchangeOf,
) -> MarketDecimals:
    """Return the market of a path's pair. Raises Refusal."""
    return market_named(exchange.markets, pair)


MarketOf = Annotated[MarketDecimals, Depends(market_of)]


def _strictly_whole(value: Any) -> Any:
    """Return the whole number of a query's text; Pydantic would take `1_000` and ` 5` too."""
    if not isinstance(value, str):
        return value
    number = whole_number(value)
    if number is None:
        raise ValueError("it must be a whole number")
    return number


Whole = BeforeValidator(_strictly_whole)


async def body_of(request: Request) -> bytes:
    """Return a request's body within the platform's limit."""
    limit_bytes = config_of(request).exchange.limits.body_bytes
    return await read_body(request, limit_bytes=limit_bytes)


def check_query(request: Request, known: Collection[str], *, lists: Collection[str] = ()) -> None:
    """Raise Refusal where a query names what a route does not know, or a single value twice."""
    seen: set[str] = set()
    for name, _ in request.query_params.multi_items():
        if name not in known:
            takes = f"; it takes {', '.join(sorted(known))}" if known else ""
            raise malformed(f"There is no parameter {name!r} here{takes}.")
        if name in seen and name not in lists:
            raise malformed(f"{name} is given twice.")
        seen.add(name)


def whole(request: Request, name: str, *, most: int = INT64_MAX) -> int | None:
    """Return a query value as a whole number of 0 to `most`. Raises Refusal."""
    text = request.query_params.get(name)
    if text is None:
        return None
    number = whole_number(text)
    if number is None or number > most:
        raise malformed(f"{name} must be a whole number from 0 to {most}.")
    return number


async def check_no_body(request: Request) -> None:
    """Raise Refusal where a request has a body; none of it is held in memory.

    Raises ClientGoneError.
    """
    try:
        await read_body(request, limit_bytes=0)
    except HttpError:
        raise malformed("This request takes no body; its path and query say it all.") from None


class StrictRoute(APIRoute):
    """A route that refuses query parameters which it does not know.

    One that changes something and documents no body refuses that too: what it says would be passed
    over. Reading with a body is let through, for proxies may add one.
    """

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Return the route's handler behind the checks of its query and body."""
        handler = super().get_route_handler()
        fields = list(_query_fields(self.dependant))
        documented = self.openapi_extra or {}
        extra = documented.get("parameters", ())
        changing = set(self.methods or ()) - READING
        takes_no_body = bool(changing) and "requestBody" not in documented
        known = {field.alias for field in fields} | {entry["name"] for entry in extra}
        lists = {field.alias for field in fields if _is_list(field.field_info.annotation)}

        async def strict(request: Request) -> Response:
            if request.scope["query_string"]:
                check_query(request, known, lists=lists)
            if takes_no_body:
                await check_no_body(request)
            return await handler(request)

        return strict


class LeanRoute(APIRoute):
    """A documented route whose endpoint takes the request as it is: no dependencies to solve."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Return the endpoint itself."""
        return cast(Callable[[Request], Coroutine[Any, Any, Response]], self.endpoint)


def _query_fields(dependant: Dependant) -> Iterator[Any]:
    """Yield the query parameters of a route and of what it depends on."""
    yield from dependant.query_params
    for one in dependant.dependencies:
        yield from _query_fields(one)


def _is_list(annotation: Any) -> bool:
    return "list[" in str(annotation)
