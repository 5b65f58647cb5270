"""Orders: place, read, list, amend, cancel."""

from collections.abc import Sequence
from typing import Annotated

import msgspec
from fastapi import APIRouter, Path, Query, Request
from msgspec import UNSET
from starlette.responses import Response

from actors.book.market import INT64_MAX
from actors.book.vocabulary import OrderStatus, Side
from api.asgi.errors import json_response
from api.exchange.decimals import MarketDecimals
from api.exchange.exchange import Exchange
from api.exchange.ids import parse_order_id
from api.exchange.refusals import Refusal, malformed
from api.exchange.values import Changed, NewOrder, Placed, Principal
from api.json import requests, views
from api.json.answers import (
    AMENDED,
    CANCELLED,
    TAKEN,
    ChangedOrder,
    PlacedOrder,
    changed_view,
    placed_view,
    taken_sentence,
)
from api.json.errors import content_of
from api.json.orders import amended, market_named, new_order, principal_of
from api.json.requests import PlaceOrder, SideWord
from api.json.views import order_view
from api.rest.answers import (
    BatchResult,
    BatchResults,
    CancelledOrders,
    OrdersPage,
)
from api.rest.openapi import answer, body, errors, later, query_parameter
from api.rest.routes.common import (
    WAIT_MS_MAX,
    ExchangeOf,
    LeanRoute,
    StrictRoute,
    Whole,
    body_of,
    check_query,
    exchange_of,
    whole,
)

router = APIRouter(tags=["orders"], route_class=StrictRoute)
lean = APIRouter(tags=["orders"], route_class=LeanRoute)

_WAIT = query_parameter(
    "wait",
    {"type": "integer", "minimum": 0, "maximum": WAIT_MS_MAX, "default": 0},
    "Milliseconds to wait for the order's outcome; the answer then carries state and fills.",
)
_USER = query_parameter(
    "userId",
    {"type": "integer", "minimum": 1},
    "Whose order it must be; not checked where it is left out. A body that names a user too must "
    "name the same.",
)
_LIMIT = {
    "tradingPair": "BTC-USD",
    "type": "BUY",
    "price": 50000.00,
    "quantity": 0.1,
    "userId": 1,
}
_MARKET = {
    "tradingPair": "BTC-USD",
    "type": "SELL",
    "orderType": "MARKET",
    "quantity": "0.05",
    "userId": 1,
    "clientOrderId": "my-order-1",
}
_ACCEPTED = f'{{"message":"{TAKEN}","orderId":"%d"}}'.encode()
# What most of a batch is told; an encoder would spend more on it than all the rest of the answer.
_ACCEPTED_IN_BATCH = f'{{"statusCode":201,"message":"{TAKEN}","orderId":"%d"}}'.encode()
_ENCODER = msgspec.json.Encoder()
OrderIdPath = Annotated[str, Path(alias="id", description="An order's id.")]


@lean.post(
    "/orders",
    summary="Place an order",
    status_code=201,
    response_model=None,
    responses=answer(PlacedOrder, status=201) | errors(400, 403, 404, 409, 413, 415, 503, 504),
    openapi_extra={"parameters": [_WAIT]}
    | body(requests.PlaceOrder, examples={"limit": _LIMIT, "market": _MARKET}),
)
async def place_order(request: Request) -> Response:
    """Take an order. 201 comes when the log has it on every replica: from then on it is kept.

    An order with a `clientOrderId` is answered when its market has answered. The same id again is
    answered as the first order; with another side, type, price or quantity it is refused with 409
    and the first order's id.
    """
    wait_ms = 0
    if request.scope["query_string"]:
        check_query(request, ("wait",))
        wait_ms = whole(request, "wait", most=WAIT_MS_MAX) or 0
    exchange = exchange_of(request)
    asked = requests.decode(requests.PLACE, await body_of(request))
    principal, order = new_order(exchange.markets, asked)
    placed = await exchange.entry.place(principal, order, wait_s=wait_ms / 1_000)
    if placed.order is None and not placed.is_repeat and not placed.awaited:
        return Response(_ACCEPTED % placed.order_id, 201, media_type="application/json")
    return json_response(placed_view(exchange.markets[order.market.pair], placed), status=201)


@lean.post(
    "/orders/batch",
    summary="Place many orders",
    response_model=None,
    responses=answer(BatchResults) | errors(400, 403, 413, 415, 503),
    openapi_extra=body(
        requests.PlaceOrders, examples={"two orders": {"orders": [_LIMIT, _MARKET]}}
    ),
)
async def place_orders(request: Request) -> Response:
    """Take up to 1,000 orders of any pairs and answer each, in order; one may fail by itself."""
    if request.scope["query_string"]:
        check_query(request, ())
    exchange = exchange_of(request)
    asked = requests.decode_batch(await body_of(request))
    exchange.entry.check_count(len(asked))
    placed = await exchange.entry.place_many([_read(exchange, one) for one in asked])
    return Response(batch_body(placed), media_type="application/json")


@router.get(
    "/orders",
    summary="List orders",
    response_model=None,
    responses=answer(OrdersPage) | errors(400, 404, 503),
)
async def list_orders(
    exchange: ExchangeOf,
    user_id: Annotated[int | None, Query(alias="userId", ge=1, le=INT64_MAX), Whole] = None,
    trading_pair: Annotated[str | None, Query(alias="tradingPair")] = None,
    status: Annotated[
        list[str] | None,
        Query(description="One or more, repeated or separated by commas.", examples=["OPEN"]),
    ] = None,
    limit: Annotated[int, Query(ge=1, le=1_000), Whole] = 100,
    cursor: Annotated[str | None, Query(description="`nextCursor` of the page before.")] = None,
) -> Response:
    """List orders, newest first. None is older than what anybody was told of it."""
    market = None if trading_pair is None else market_named(exchange.markets, trading_pair).market
    found = await exchange.orders.page(
        limit=limit,
        user_id=user_id,
        market=market,
        statuses=_statuses(status or []),
        before_order_id=None if cursor is None else parse_order_id(cursor),
    )
    by_id = {decimals.market.market_id: decimals for decimals in exchange.markets.values()}
    page = OrdersPage(
        orders=[order_view(by_id[order.market_id], order) for order in found],
        next_cursor=str(found[-1].order_id) if len(found) == limit else None,
    )
    return json_response(page)


@router.get(
    "/orders/{id}",
    summary="Read an order",
    response_model=None,
    responses=answer(views.Order) | errors(400, 404, 503),
)
async def get_order(exchange: ExchangeOf, order_id: OrderIdPath) -> Response:
    """Read an order. One that was answered 201 is never 404, however early it is asked for.

    An order that only repeated a `clientOrderId` reads as the first order.
    """
    order = await exchange.orders.get(parse_order_id(order_id))
    pair = exchange.config.topology.by_id(order.market_id).pair
    return json_response(order_view(exchange.markets[pair], order))


@router.patch(
    "/orders/{id}",
    summary="Amend an order",
    response_model=None,
    responses=answer(ChangedOrder)
    | later(ChangedOrder)
    | errors(400, 403, 404, 409, 413, 415, 503, 504),
    openapi_extra={"parameters": [_USER]}
    | body(requests.AmendOrder, examples={"less": {"quantity": "0.05"}}),
)
async def amend_order(request: Request, exchange: ExchangeOf, order_id: OrderIdPath) -> Response:
    """Change price, quantity or both, and wait up to a second for the outcome.

    A smaller quantity keeps the order's place in the queue; another price or a larger quantity
    loses it and may trade at once.
    """
    asked = requests.decode(requests.AMEND, await body_of(request))
    user_id = requests.agreed_user_id(request.query_params.get("userId"), asked.user_id)
    if asked.price is None and asked.quantity is None:
        raise malformed("Give a price, a quantity or both.")
    located = await exchange.orders.locate(parse_order_id(order_id))
    decimals = exchange.markets[located.market.pair]
    price_ticks, quantity_lots = amended(decimals, asked)
    changed = await exchange.changes.amend(
        principal_of(user_id), located, price_ticks=price_ticks, quantity_lots=quantity_lots
    )
    return _changed(decimals, changed, AMENDED)


@router.delete(
    "/orders/{id}",
    summary="Cancel an order",
    response_model=None,
    responses=answer(ChangedOrder)
    | later(ChangedOrder)
    | errors(400, 403, 404, 409, 413, 415, 503, 504),
    openapi_extra={"parameters": [_USER]} | body(requests.Owner, required=False),
)
async def cancel_order(request: Request, exchange: ExchangeOf, order_id: OrderIdPath) -> Response:
    """Cancel what is open of an order, and wait up to a second for the outcome."""
    sent = await body_of(request)
    owner = requests.decode(requests.OWNER, sent).user_id if sent else None
    user_id = requests.agreed_user_id(request.query_params.get("userId"), owner)
    located = await exchange.orders.locate(parse_order_id(order_id))
    changed = await exchange.changes.cancel(principal_of(user_id), located)
    return _changed(exchange.markets[located.market.pair], changed, CANCELLED)


@router.delete(
    "/orders",
    summary="Cancel all orders of a user",
    response_model=None,
    responses=answer(CancelledOrders)
    | later(CancelledOrders)
    | errors(400, 403, 404, 415, 503, 504),
)
async def cancel_orders(
    exchange: ExchangeOf,
    user_id: Annotated[int, Query(alias="userId", ge=1, le=INT64_MAX), Whole],
    trading_pair: Annotated[
        str | None, Query(alias="tradingPair", description="All pairs where it is left out.")
    ] = None,
    side: Annotated[SideWord | None, Query(alias="type")] = None,
) -> Response:
    """Cancel a user's open orders, of one pair or all, of one side or both."""
    if trading_pair is not None:
        markets = [market_named(exchange.markets, trading_pair).market]
    else:
        markets = list(exchange.config.topology)
    cancelled = await exchange.changes.cancel_all(
        Principal(user_id), markets, side=None if side is None else Side[side]
    )
    known = all(count is not None for count in cancelled.values())
    content = CancelledOrders(
        message="Orders cancelled" if known else "Some markets have not answered; try again",
        cancelled=sum(count or 0 for count in cancelled.values()),
        markets=cancelled,
    )
    return json_response(content, status=200 if known else 202)


def _read(
    exchange: Exchange, asked: PlaceOrder | msgspec.Raw
) -> tuple[Principal, NewOrder] | Refusal:
    try:
        if isinstance(asked, msgspec.Raw):
            asked = requests.decode(requests.PLACE, asked)
        return new_order(exchange.markets, asked)
    except Refusal as refused:
        return refused


def batch_body(placed: Sequence[Placed | Refusal]) -> bytes:
    """Return a batch's answers as JSON (`BatchResults`)."""
    results = [
        _ENCODER.encode(_batch_result(one))
        if isinstance(one, Refusal) or one.is_repeat
        else _ACCEPTED_IN_BATCH % one.order_id
        for one in placed
    ]
    return b'{"results":[%b]}' % b",".join(results)


def _batch_result(placed: Placed | Refusal) -> BatchResult:
    if isinstance(placed, Refusal):
        told = content_of(placed)
        return BatchResult(
            status_code=told["statusCode"],
            message=told["message"],
            order_id=told.get("orderId", UNSET),
            error=told["error"],
            code=told["code"],
            retry_after=told.get("retryAfter", UNSET),
        )
    return BatchResult(
        status_code=201, message=taken_sentence(placed), order_id=str(placed.order_id)
    )


def _changed(decimals: MarketDecimals, changed: Changed, done: str) -> Response:
    status = 202 if changed.order is None else 200
    return json_response(changed_view(decimals, changed, done=done), status=status)


def _statuses(texts: list[str]) -> list[OrderStatus]:
    words = [word.strip() for text in texts for word in text.split(",")]
    try:
        return [OrderStatus[word] for word in words]
    except KeyError:
        allowed = ", ".join(status.name for status in OrderStatus)
        raise malformed(f"status must be of {allowed}.") from None
