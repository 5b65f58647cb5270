"""The exchange's values: who asks, orders, trades and fills, in ticks, lots and microseconds.

Enumerated fields stay integers (`actors.book.vocabulary`): a rejected order repeats what was sent,
so `side`, `order_type`, `time_in_force` and `self_trade_prevention` of an order whose reason is
MALFORMED may hold a number that no vocabulary knows.
"""

from operator import itemgetter
from typing import Any

import msgspec

from actors.book.market import Market
from actors.book.records import EVENT_DTYPE, decode_client_order_id
from actors.book.vocabulary import CommandKind, Flag, OrderStatus, Side
from api.exchange.commands import COMMAND

FINISHED = frozenset(
    {OrderStatus.FILLED, OrderStatus.CANCELLED, OrderStatus.REJECTED, OrderStatus.EXPIRED}
)


# Enumerated members are slow to pack.
_PLACE, _POST_ONLY = int(CommandKind.PLACE), int(Flag.POST_ONLY)


class Principal(msgspec.Struct, frozen=True, gc=False):
    """Who asks, as the door has found out."""

    user_id: int


class NewOrder(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """An order before it has an id and a time; what it does not have is 0 or empty.

    `quote_units` is an amount of quote currency in tick x lot, `expires_us` a time.
    """

    market: Market
    side: int
    order_type: int
    time_in_force: int
    self_trade_prevention: int = 0
    post_only: bool = False
    price_ticks: int = 0
    quantity_lots: int = 0
    quote_units: int = 0
    expires_us: int = 0
    client_order_id: bytes = b""

    def command(self, *, order_id: int, user_id: int, time_us: int) -> bytes:
        """Return the PLACE command (`COMMAND_DTYPE`) of this order; its id is the order's."""
        return COMMAND.pack(
            _PLACE,
            self.side,
            self.order_type,
            self.time_in_force,
            self.self_trade_prevention,
            _POST_ONLY if self.post_only else 0,
            order_id,
            order_id,
            user_id,
            self.price_ticks,
            self.quantity_lots,
            self.quote_units,
            time_us,
            self.expires_us,
            self.client_order_id,
        )


class Order(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """An order as its newest event left it; `related_order_id` is a duplicate's first order."""

    order_id: int
    market_id: int
    user_id: int
    client_order_id: str
    side: int
    order_type: int
    time_in_force: int
    self_trade_prevention: int
    flags: int
    status: int
    reason: int
    price_ticks: int
    quantity_lots: int
    filled_lots: int
    notional: int
    quote_units: int
    expires_us: int
    created_us: int
    updated_us: int
    sequence: int
    related_order_id: int


class Trade(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A trade; its price is the maker's, the aggressor is the taker."""

    market_id: int
    trade_id: int
    sequence: int
    time_us: int
    price_ticks: int
    quantity_lots: int
    aggressor_side: int
    maker_order_id: int
    taker_order_id: int
    maker_user_id: int
    taker_user_id: int


class Fill(Trade, frozen=True, kw_only=True, gc=False):
    """One side of a trade; who trades with himself has both."""

    is_maker: bool


class User(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A user; `created_us` is in microseconds since the Unix epoch."""

    user_id: int
    name: str | None
    created_us: int


class Placed(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """An order that the log has.

    `order` and `trades` are there where its outcome was asked for and has come; `awaited` says that
    it was asked for and has not. `is_repeat` says that its client order id was used before, and
    then this is the first order.
    """

    order_id: int
    is_repeat: bool = False
    awaited: bool = False
    order: Order | None = None
    trades: tuple[Trade, ...] = ()


class Changed(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A change that the log has; `order` is None while the book has not answered."""

    order_id: int
    order: Order | None = None
    trades: tuple[Trade, ...] = ()


_OF_ORDER = {"updated_us": "time_us"}
_OF_TRADE = {
    "quantity_lots": "trade_lots",
    "aggressor_side": "side",
    "maker_order_id": "order_id",
    "taker_order_id": "related_order_id",
    "maker_user_id": "user_id",
    "taker_user_id": "related_user_id",
}
_EVENT_FIELDS = EVENT_DTYPE.names or ()


def _places(value: type[msgspec.Struct], renamed: dict[str, str]) -> tuple[int, ...]:
    """Return where in an event each field of a value stands."""
    return tuple(_EVENT_FIELDS.index(renamed.get(name, name)) for name in value.__struct_fields__)


_order_fields = itemgetter(*_places(Order, _OF_ORDER))
_trade_fields = itemgetter(*_places(Trade, _OF_TRADE))


def order_of_event(event: Any) -> Order:
    """Return the order whose image an ORDER or TRADE event (`EVENT_DTYPE`) is."""
    fields = dict(zip(Order.__struct_fields__, _order_fields(event.item()), strict=True))
    fields["client_order_id"] = decode_client_order_id(fields["client_order_id"])
    return Order(**fields)


def trade_of_event(event: Any) -> Trade:
    """Return the trade that a TRADE event (`EVENT_DTYPE`) stands for."""
    fields = dict(zip(Trade.__struct_fields__, _trade_fields(event.item()), strict=True))
    # The event's side is the maker's.
    fields["aggressor_side"] = Side.BUY + Side.SELL - fields["aggressor_side"]
    return Trade(**fields)
