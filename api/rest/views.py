"""What the API shows of orders, trades and levels: one shape each, the same everywhere."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from enum import IntEnum
from functools import lru_cache
from typing import Any

import msgspec

from actors.book.reasons import Reason
from actors.book.records import decode_client_order_id
from actors.book.vocabulary import OrderStatus, OrderType, Side, TimeInForce
from actors.platform.messages import LevelRow
from api.exchange.decimals import MarketUnits
from api.exchange.storage.records import StoredFill, StoredOrder, StoredTrade

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_TRADE_ID_BITS = 40
_TRADE_ID_MASK = (1 << _TRADE_ID_BITS) - 1


class OrderView(msgspec.Struct, frozen=True, kw_only=True, rename="camel", gc=False):
    """An order as clients see it."""

    id: str
    client_order_id: str | None
    user_id: int
    trading_pair: str
    type: str
    order_type: str
    time_in_force: str
    status: str
    price: str | None
    quantity: str
    filled_quantity: str
    average_price: str | None
    created_at: str
    updated_at: str
    sequence: int
    reason: str | None


class TradeView(msgspec.Struct, frozen=True, kw_only=True, rename="camel", gc=False):
    """A trade as clients see it."""

    id: str
    trading_pair: str
    price: str
    quantity: str
    buy_order_id: str
    sell_order_id: str
    aggressor_type: str
    created_at: str
    sequence: int


class FillView(msgspec.Struct, frozen=True, kw_only=True, rename="camel", gc=False):
    """One order's side of a trade; `id` is the trade's."""

    id: str
    order_id: str
    trading_pair: str
    type: str
    role: str
    price: str
    quantity: str
    created_at: str
    sequence: int


class LevelView(msgspec.Struct, frozen=True, kw_only=True, rename="camel", gc=False):
    """A price level; `quantity` is what remains of its orders."""

    price: str
    quantity: str
    filled_quantity: str
    status: str
    orders: int


class OrderRow(msgspec.Struct, frozen=True, kw_only=True, rename="camel", gc=False):
    """One order in the book, in the shape of a level; `quantity` is what remains of it."""

    id: str
    price: str
    quantity: str
    filled_quantity: str
    status: str
    orders: int
    user_id: int
    created_at: str


def order_view(units: MarketUnits, order: StoredOrder) -> OrderView:
    """Return an order's view. A rejected order's unknown words are shown as their numbers."""
    return OrderView(
        id=str(order.order_id),
        client_order_id=order.client_order_id or None,
        user_id=order.user_id,
        trading_pair=units.market.pair,
        type=_word(Side, order.side),
        order_type=_word(OrderType, order.order_type),
        time_in_force=_word(TimeInForce, order.time_in_force),
        status=_word(OrderStatus, order.status),
        price=units.price(order.price_ticks) if order.price_ticks > 0 else None,
        quantity=units.quantity(order.quantity_lots),
        filled_quantity=units.quantity(order.filled_lots),
        average_price=units.average_price(order.notional, order.filled_lots),
        created_at=timestamp(order.created_us),
        updated_at=timestamp(order.updated_us),
        sequence=order.sequence,
        reason=_word(Reason, order.reason) if order.reason else None,
    )


def trade_view(units: MarketUnits, trade: StoredTrade) -> TradeView:
    """Return a trade's view."""
    bought = trade.aggressor_side == Side.BUY
    buyer, seller = trade.taker_order_id, trade.maker_order_id
    if not bought:
        buyer, seller = seller, buyer
    return TradeView(
        id=trade_id_text(trade.market_id, trade.trade_id),
        trading_pair=units.market.pair,
        price=units.price(trade.price_ticks),
        quantity=units.quantity(trade.quantity_lots),
        buy_order_id=str(buyer),
        sell_order_id=str(seller),
        aggressor_type="BUY" if bought else "SELL",
        created_at=timestamp(trade.time_us),
        sequence=trade.sequence,
    )


def fill_view(units: MarketUnits, fill: StoredFill) -> FillView:
    """Return a fill's view."""
    bought = (fill.aggressor_side == Side.BUY) is not fill.is_maker
    return FillView(
        id=trade_id_text(fill.market_id, fill.trade_id),
        order_id=str(fill.maker_order_id if fill.is_maker else fill.taker_order_id),
        trading_pair=units.market.pair,
        type="BUY" if bought else "SELL",
        role="MAKER" if fill.is_maker else "TAKER",
        price=units.price(fill.price_ticks),
        quantity=units.quantity(fill.quantity_lots),
        created_at=timestamp(fill.time_us),
        sequence=fill.sequence,
    )


def level_view(units: MarketUnits, row: LevelRow) -> LevelView:
    """Return a level's view."""
    price_ticks, quantity_lots, filled_lots, order_count = row
    return LevelView(
        price=units.price(price_ticks),
        quantity=units.quantity(quantity_lots),
        filled_quantity=units.quantity(filled_lots),
        status="PARTIALLY_FILLED" if filled_lots else "OPEN",
        orders=order_count,
    )


def order_row(units: MarketUnits, image: Any) -> OrderRow:
    """Return the row of a resting order from its image (`EVENT_DTYPE`)."""
    filled_lots = int(image["filled_lots"])
    return OrderRow(
        id=str(image["order_id"]),
        price=units.price(int(image["price_ticks"])),
        quantity=units.quantity(int(image["quantity_lots"]) - filled_lots),
        filled_quantity=units.quantity(filled_lots),
        status="PARTIALLY_FILLED" if filled_lots else "OPEN",
        orders=1,
        user_id=int(image["user_id"]),
        created_at=timestamp(int(image["created_us"])),
    )


def level_views(units: MarketUnits, rows: Sequence[LevelRow]) -> list[LevelView]:
    """Return the views of levels, in their order."""
    return [level_view(units, row) for row in rows]


def order_of_event(event: Any) -> StoredOrder:
    """Return the order whose image an ORDER or TRADE event (`EVENT_DTYPE`) is."""
    return StoredOrder(
        order_id=int(event["order_id"]),
        market_id=int(event["market_id"]),
        user_id=int(event["user_id"]),
        client_order_id=decode_client_order_id(event["client_order_id"]),
        side=int(event["side"]),
        order_type=int(event["order_type"]),
        time_in_force=int(event["time_in_force"]),
        self_trade_prevention=int(event["self_trade_prevention"]),
        flags=int(event["flags"]),
        status=int(event["status"]),
        reason=int(event["reason"]),
        price_ticks=int(event["price_ticks"]),
        quantity_lots=int(event["quantity_lots"]),
        filled_lots=int(event["filled_lots"]),
        notional=int(event["notional"]),
        quote_units=int(event["quote_units"]),
        expires_us=int(event["expires_us"]),
        created_us=int(event["created_us"]),
        updated_us=int(event["time_us"]),
        sequence=int(event["sequence"]),
        related_order_id=int(event["related_order_id"]),
    )


def trade_of_event(event: Any) -> StoredTrade:
    """Return the trade that a TRADE event (`EVENT_DTYPE`) stands for."""
    return StoredTrade(
        market_id=int(event["market_id"]),
        trade_id=int(event["trade_id"]),
        sequence=int(event["sequence"]),
        time_us=int(event["time_us"]),
        price_ticks=int(event["price_ticks"]),
        quantity_lots=int(event["trade_lots"]),
        aggressor_side=Side.SELL if event["side"] == Side.BUY else Side.BUY,
        maker_order_id=int(event["order_id"]),
        taker_order_id=int(event["related_order_id"]),
        maker_user_id=int(event["user_id"]),
        taker_user_id=int(event["related_user_id"]),
    )


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
    """Return microseconds since the Unix epoch as ISO 8601 in UTC."""
    moment = _EPOCH + timedelta(microseconds=time_us)
    return moment.isoformat(timespec="microseconds").replace("+00:00", "Z")


@lru_cache(maxsize=256)
def _word(words: type[IntEnum], number: int) -> str:
    try:
        return words(number).name
    except ValueError:
        return str(number)
