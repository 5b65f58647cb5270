"""Orders: place, read, list, amend, cancel."""

from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Request
from starlette.responses import Response

from actors.book.market import INT64_MAX
from actors.book.vocabulary import OrderStatus, Side
from api.asgi.errors import ApiError, InvalidRequestError, json_response
from api.asgi.http import LeanRoute
from api.exchange.changing import Changed
from api.exchange.ids import parse_order_id
from api.exchange.settling import ACCEPTED, Placed
from api.rest import requests, schemas
from api.rest.openapi import body, errors, later
from api.rest.routes.common import (
    WAIT_MS_MAX,
    GatewayOf,
    acting_user,
    body_of,
    gateway_of,
    market_named,
    query_parameter,
    whole,
)

router = APIRouter(tags=["orders"])
lean = APIRouter(tags=["orders"], route_class=LeanRoute)

_WAIT = query_parameter(
    "wait",
    {"type": "integer", "minimum": 0, "maximum": WAIT_MS_MAX, "default": 0},
    "Milliseconds to wait for the order's outcome; the answer then carries state and fills.",
)
_USER = query_parameter(
    "userId",
    {"type": "integer", "minimum": 1},
    "Whose order it must be; not checked where it is left out.",
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
_ACCEPTED = f'{{"message":"{ACCEPTED}","orderId":"%d"}}'.encode()
OrderIdPath = Annotated[str, Path(alias="id", description="An order's id.")]


@lean.post(
    "/orders",
    summary="Place an order",
    status_code=201,
    response_model=schemas.PlacedOrder,
    response_model_exclude_none=True,
    responses=errors(400, 404, 409, 413, 503, 504),
    openapi_extra={"parameters": [_WAIT]}
    | body(schemas.PlaceOrder, examples={"limit": _LIMIT, "market": _MARKET}),
)
async def place_order(request: Request) -> Response:
    """Take an order. 201 comes when the log has it on every replica: from then on it is kept.

    An order with a `clientOrderId` is answered when its market has answered, and the same id again
    with the first order's id.
    """
    wait_ms = whole(request, "wait", most=WAIT_MS_MAX) if request.scope["query_string"] else 0
    placed = await gateway_of(request).placing.place(
        await body_of(request), wait_s=(wait_ms or 0) / 1_000
    )
    if placed.order is None and placed.message is ACCEPTED:
        return Response(_ACCEPTED % placed.order_id, 201, media_type="application/json")
    return json_response(_placed(placed), status=201)


@lean.post(
    "/orders/batch",
    summary="Place many orders",
    response_model=schemas.BatchResults,
    responses=errors(400, 413, 503),
    openapi_extra=body(schemas.PlaceOrders, examples={"two orders": {"orders": [_LIMIT, _MARKET]}}),
)
async def place_orders(request: Request) -> Response:
    """Take up to 1,000 orders of any pairs and answer each, in order; one may fail by itself."""
    answers = await gateway_of(request).batches.place(await body_of(request))
    return json_response({"results": [_batch_result(answer) for answer in answers]})


@router.get(
    "/orders",
    summary="List orders",
    response_model=schemas.OrdersPage,
    responses=errors(400, 404, 503),
)
async def list_orders(
    gateway: GatewayOf,
    user_id: Annotated[int | None, Query(alias="userId", ge=1, le=INT64_MAX)] = None,
    trading_pair: Annotated[str | None, Query(alias="tradingPair")] = None,
    status: Annotated[
        list[str] | None,
        Query(description="One or more, repeated or separated by commas.", examples=["OPEN"]),
    ] = None,
    limit: Annotated[int, Query(ge=1, le=1_000)] = 100,
    cursor: Annotated[str | None, Query(description="`nextCursor` of the page before.")] = None,
) -> Response:
    """List orders, newest first."""
    orders, next_cursor = await gateway.reading.page(
        limit=limit,
        user_id=user_id,
        market=None if trading_pair is None else market_named(gateway, trading_pair).market,
        statuses=_statuses(status or []),
        before_order_id=None if cursor is None else parse_order_id(cursor),
    )
    return json_response({"orders": orders, "nextCursor": next_cursor})


@router.get(
    "/orders/{id}",
    summary="Read an order",
    response_model=schemas.Order,
    responses=errors(400, 404, 503),
)
async def get_order(gateway: GatewayOf, order_id: OrderIdPath) -> Response:
    """Read an order. One that was answered 201 is never 404, however early it is asked for.

    An order that only repeated a `clientOrderId` reads as the first order.
    """
    return json_response(await gateway.reading.get(parse_order_id(order_id)))


@router.patch(
    "/orders/{id}",
    summary="Amend an order",
    response_model=schemas.ChangedOrder,
    response_model_exclude_none=True,
    responses=later(schemas.ChangedOrder) | errors(400, 403, 404, 409, 413, 503),
    openapi_extra={"parameters": [_USER]}
    | body(schemas.AmendOrder, examples={"less": {"quantity": "0.05"}}),
)
async def amend_order(request: Request, gateway: GatewayOf, order_id: OrderIdPath) -> Response:
    """Change price, quantity or both, and wait up to a second for the outcome.

    A smaller quantity keeps the order's place in the queue; another price or a larger quantity
    loses it and may trade at once.
    """
    amend = requests.decode(requests.AMEND, await body_of(request))
    changed = await gateway.changing.amend(
        parse_order_id(order_id), amend, user_id=acting_user(request, amend.user_id)
    )
    return _changed(changed, "Order amended")


@router.delete(
    "/orders/{id}",
    summary="Cancel an order",
    response_model=schemas.ChangedOrder,
    response_model_exclude_none=True,
    responses=later(schemas.ChangedOrder) | errors(400, 403, 404, 409, 413, 503),
    openapi_extra={"parameters": [_USER]} | body(schemas.Owner, required=False),
)
async def cancel_order(request: Request, gateway: GatewayOf, order_id: OrderIdPath) -> Response:
    """Cancel what is open of an order, and wait up to a second for the outcome."""
    sent = await body_of(request)
    owner = requests.decode(requests.OWNER, sent).user_id if sent else None
    changed = await gateway.changing.cancel(
        parse_order_id(order_id), user_id=acting_user(request, owner)
    )
    return _changed(changed, "Order cancelled")


@router.delete(
    "/orders",
    summary="Cancel all orders of a user",
    response_model=schemas.CancelledOrders,
    responses=later(schemas.CancelledOrders) | errors(400, 404, 503),
)
async def cancel_orders(
    gateway: GatewayOf,
    user_id: Annotated[int, Query(alias="userId", ge=1, le=INT64_MAX)],
    trading_pair: Annotated[
        str | None, Query(alias="tradingPair", description="All pairs where it is left out.")
    ] = None,
    side: Annotated[schemas.SideWord | None, Query(alias="type")] = None,
) -> Response:
    """Cancel a user's open orders, of one pair or all, of one side or both."""
    if trading_pair is not None:
        markets = [market_named(gateway, trading_pair).market]
    else:
        markets = list(gateway.platform.topology)
    cancelled = await gateway.changing.cancel_all(
        user_id=user_id, markets=markets, side=None if side is None else Side[side]
    )
    known = all(count is not None for count in cancelled.values())
    content = {
        "message": "Orders cancelled"
        if known
        else "Cancels logged; some markets have not answered",
        "cancelled": sum(count or 0 for count in cancelled.values()),
        "markets": cancelled,
    }
    return json_response(content, status=200 if known else 202)


def _placed(placed: Placed) -> dict[str, Any]:
    content: dict[str, Any] = {"message": placed.message, "orderId": str(placed.order_id)}
    if placed.order is not None:
        content |= {"order": placed.order, "fills": placed.fills}
    return content


def _batch_result(answer: Placed | ApiError) -> dict[str, Any]:
    if isinstance(answer, ApiError):
        return answer.content()
    return {"statusCode": 201, "message": answer.message, "orderId": str(answer.order_id)}


def _changed(changed: Changed, message: str) -> Response:
    content: dict[str, Any] = {"message": message, "orderId": str(changed.order_id)}
    if changed.order is None:
        content["message"] = "Logged; the market has not answered yet"
        return json_response(content, status=202)
    return json_response(content | {"order": changed.order, "fills": changed.fills})


def _statuses(texts: list[str]) -> list[OrderStatus]:
    words = [word.strip() for text in texts for word in text.split(",")]
    try:
        return [OrderStatus[word] for word in words]
    except KeyError:
        allowed = ", ".join(status.name for status in OrderStatus)
        raise InvalidRequestError("MALFORMED", f"status must be of {allowed}.") from None
