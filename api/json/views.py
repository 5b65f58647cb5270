"""Views of orders, trades, levels and refusals: one shape each, the same at every door."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from enum import IntEnum
from functools import lru_cache
from typing import Annotated, Any, Literal

import msgspec
from msgspec import UNSET, Meta, UnsetType

from actors.book.reasons import Reason
from actors.book.vocabulary import (
    Flag,
    OrderStatus,
    OrderType,
    SelfTradePrevention,
    Side,
    TimeInForce,
)
from actors.platform.messages import LevelRow
from api.exchange import values
from api.exchange.decimals import MarketDecimals
from api.json.requests import OrderTypeWord, PreventionWord, SideWord, TimeInForceWord

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
# What a date can hold: years 1 to 9999.
_FIRST_US, _LAST_US = (
    (moment.replace(tzinfo=UTC) - _EPOCH) // timedelta(microseconds=1)
    for moment in (datetime.min, datetime.max)
)
_TRADE_ID_BITS = 40
_TRADE_ID_MASK = (1 << _TRADE_ID_BITS) - 1

Amount = Annotated[
    str, Meta(description="A decimal as text, at most 8 decimals.", examples=["50000.5"])
]
OrderId = Annotated[
    str, Meta(description="A 63-bit whole number as text.", examples=["233811181600768001"])
]
UserId = Annotated[int, Meta(ge=1, examples=[1])]
Pair = Annotated[str, Meta(examples=["BTC-USD"])]
Moment = Annotated[
    str, Meta(description="ISO 8601 in UTC.", examples=["2026-01-31T12:00:00.000000Z"])
]
Sequence = Annotated[int, Meta(description="The market's own running number.")]
RetryAfter = Annotated[
    int, Meta(description="Seconds after which the same request may be taken.", examples=[1])
]
StatusWord = Literal["OPEN", "PARTIALLY_FILLED", "FILLED", "CANCELLED", "REJECTED", "EXPIRED"]
_ENDED = "Why it was rejected or ended, where that was not by being filled."


class View(msgspec.Struct, frozen=True, kw_only=True, rename="camel", gc=False):
    """Base: camel case on the wire."""


class Order(View, frozen=True):
    """An order, the same everywhere."""

    id: OrderId
    client_order_id: str | None
    user_id: UserId
    trading_pair: Pair
    type: SideWord
    order_type: OrderTypeWord
    time_in_force: TimeInForceWord
    post_only: bool
    self_trade_prevention: PreventionWord
    status: StatusWord
    price: Annotated[Amount | None, Meta(description="null for market orders.")]
    quantity: Amount
    quote_quantity: Annotated[
        Amount | None, Meta(description="What a market order by quoteQuantity may spend or earn.")
    ]
    filled_quantity: Amount
    average_price: Annotated[Amount | None, Meta(description="null until something was filled.")]
    expires_at: Annotated[Moment | None, Meta(description="null for all but GTD.")]
    created_at: Moment
    updated_at: Moment
    sequence: Sequence
    reason: Annotated[str | None, Meta(description=_ENDED, examples=["WOULD_CROSS"])]


class Trade(View, frozen=True):
    """A trade, at the price of the order that was there first."""

    id: OrderId
    trading_pair: Pair
    price: Amount
    quantity: Amount
    buy_order_id: OrderId
    sell_order_id: OrderId
    aggressor_type: SideWord
    created_at: Moment
    sequence: Sequence


class BookRow(View, frozen=True):
    """A price level, or one order with `view=orders` (then also its id, user and time)."""

    price: Amount
    quantity: Annotated[Amount, Meta(description="What remains to be traded.")]
    filled_quantity: Amount
    status: Literal["OPEN", "PARTIALLY_FILLED"]
    orders: Annotated[int, Meta(description="How many orders.")]
    id: OrderId | UnsetType = UNSET
    user_id: UserId | UnsetType = UNSET
    created_at: Moment | UnsetType = UNSET


class Error(View, frozen=True):
    """What every refusal looks like."""

    status_code: Annotated[int, Meta(examples=[400])]
    error: Annotated[str, Meta(description="The status in words.", examples=["Bad Request"])]
    code: Annotated[str, Meta(description="A stable code for programs.", examples=["OFF_TICK"])]
    message: Annotated[str, Meta(description="A sentence for people.")]
    order_id: Annotated[
        OrderId | UnsetType,
        Meta(description="The order whose outcome is not known, or that has the client order id."),
    ] = UNSET
    retry_after: RetryAfter | UnsetType = UNSET


def order_view(decimals: MarketDecimals, order: values.Order) -> Order:
    """Return an order's view. A rejected order's unknown words are shown as their numbers."""
    return Order(
        id=str(order.order_id),
        client_order_id=order.client_order_id or None,
        user_id=order.user_id,
        trading_pair=decimals.market.pair,
        type=word(Side, order.side),
        order_type=word(OrderType, order.order_type),
        time_in_force=word(TimeInForce, order.time_in_force),
        post_only=bool(order.flags & Flag.POST_ONLY),
        self_trade_prevention=word(SelfTradePrevention, order.self_trade_prevention),
        status=word(OrderStatus, order.status),
        price=decimals.price(order.price_ticks) if order.price_ticks > 0 else None,
        quantity=decimals.quantity(order.quantity_lots),
        quote_quantity=decimals.notional(order.quote_units) if order.quote_units > 0 else None,
        filled_quantity=decimals.quantity(order.filled_lots),
        average_price=decimals.average_price(order.notional, order.filled_lots),
        expires_at=timestamp(order.expires_us) if order.expires_us > 0 else None,
        created_at=timestamp(order.created_us),
        updated_at=timestamp(order.updated_us),
        sequence=order.sequence,
        reason=word(Reason, order.reason) if order.reason else None,
    )


def trade_view(decimals: MarketDecimals, trade: values.Trade) -> Trade:
    """Return a trade's view."""
    bought = trade.aggressor_side == Side.BUY
    buyer, seller = trade.taker_order_id, trade.maker_order_id
    if not bought:
        buyer, seller = seller, buyer
    return Trade(
        id=trade_id_text(trade.market_id, trade.trade_id),
        trading_pair=decimals.market.pair,
        price=decimals.price(trade.price_ticks),
        quantity=decimals.quantity(trade.quantity_lots),
        buy_order_id=str(buyer),
        sell_order_id=str(seller),
        aggressor_type="BUY" if bought else "SELL",
        created_at=timestamp(trade.time_us),
        sequence=trade.sequence,
    )


def level_rows(decimals: MarketDecimals, rows: Iterable[LevelRow]) -> list[BookRow]:
    """Return the rows of levels, in their order."""
    return [
        BookRow(
            price=decimals.price(price_ticks),
            quantity=decimals.quantity(quantity_lots),
            filled_quantity=decimals.quantity(filled_lots),
            status="PARTIALLY_FILLED" if filled_lots else "OPEN",
            orders=order_count,
        )
        for price_ticks, quantity_lots, filled_lots, order_count in rows
    ]


def trade_id_text(market_id: int, trade_id: int) -> str:
    """Return a trade's id among the trades of all markets."""
    return str(market_id << _TRADE_ID_BITS | trade_id)


def trade_id_of(number: int) -> int:
    """Return a market's own trade id from `trade_id_text`'s number."""
    return number & _TRADE_ID_MASK


def market_id_of(number: int) -> int:
    """Return the market's id from `trade_id_text`'s number."""
    return number >> _TRADE_ID_BITS


def timestamp(time_us: int) -> str:
    """Return microseconds since the Unix epoch as ISO 8601 in UTC, within the years 1 to 9999."""
    seconds, part_us = divmod(max(_FIRST_US, min(time_us, _LAST_US)), 1_000_000)
    return f"{_second(seconds)}.{part_us:06d}Z"


@lru_cache(maxsize=4_096)
def _second(seconds: int) -> str:
    """Return a whole second since the Unix epoch as text: most events share theirs with others."""
    return (_EPOCH + timedelta(seconds=seconds)).replace(tzinfo=None).isoformat()


@lru_cache(maxsize=256)
def word(words: type[IntEnum], number: int) -> Any:
    """Return the word for a number of a vocabulary, or the number as text where it has none."""
    try:
        return words(number).name
    except ValueError:
        return str(number)
