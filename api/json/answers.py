"""Answers to an order's placing and changing: one shape and one sentence each, at every door."""

from typing import Annotated

from msgspec import UNSET, Meta, UnsetType

from actors.book.vocabulary import OrderStatus
from api.exchange.decimals import MarketDecimals
from api.exchange.values import Changed, Placed
from api.json.views import Order, OrderId, Trade, View, order_view, trade_view

TAKEN = "Order accepted"
NOT_ANSWERED = "Logged; the market has not answered yet"
AMENDED = "Order amended"
CANCELLED = "Order cancelled"
_REPEATED = "This client order id was used before; this is the first order."
_AWAITED = "Order accepted; its outcome has not come yet"
_REJECTED = "Order rejected by the book"


class PlacedOrder(View, frozen=True):
    """An accepted order; state and fills with `wait`, where they came in time."""

    message: Annotated[str, Meta(examples=["Order accepted"])]
    order_id: OrderId
    order: Order | UnsetType = UNSET
    fills: list[Trade] | UnsetType = UNSET


class ChangedOrder(View, frozen=True):
    """The order after a change, and what the change traded; without `order` when still open."""

    message: str
    order_id: OrderId
    order: Order | UnsetType = UNSET
    fills: list[Trade] | UnsetType = UNSET


def placed_view(decimals: MarketDecimals, placed: Placed) -> PlacedOrder:
    """Return the answer to an order that was taken, with what is known of it."""
    order_id = str(placed.order_id)
    if placed.awaited:
        return PlacedOrder(message=_AWAITED, order_id=order_id)
    message = taken_sentence(placed)
    if placed.order is None:
        return PlacedOrder(message=message, order_id=order_id)
    if placed.order.status == OrderStatus.REJECTED and not placed.is_repeat:
        message = _REJECTED
    return PlacedOrder(
        message=message,
        order_id=order_id,
        order=order_view(decimals, placed.order),
        fills=[trade_view(decimals, trade) for trade in placed.trades],
    )


def changed_view(decimals: MarketDecimals, changed: Changed, *, done: str) -> ChangedOrder:
    """Return the answer to a change; `done` is its sentence where the market has answered."""
    order_id = str(changed.order_id)
    if changed.order is None:
        return ChangedOrder(message=NOT_ANSWERED, order_id=order_id)
    return ChangedOrder(
        message=done,
        order_id=order_id,
        order=order_view(decimals, changed.order),
        fills=[trade_view(decimals, trade) for trade in changed.trades],
    )


def taken_sentence(placed: Placed) -> str:
    """Return what is said of an order that the log has."""
    return _REPEATED if placed.is_repeat else TAKEN
