"""Rows as they are stored: ticks, lots and microseconds; the edge turns them into decimals.

Enumerated columns stay integers (`actors.book.vocabulary`): a rejected order repeats what was
sent, so `side`, `order_type`, `time_in_force` and `self_trade_prevention` of a row whose reason
is MALFORMED may hold a number that no vocabulary knows.
"""

import msgspec


class StoredOrder(msgspec.Struct, frozen=True, kw_only=True, gc=False):
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


class StoredTrade(msgspec.Struct, frozen=True, kw_only=True, gc=False):
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


class StoredFill(StoredTrade, frozen=True, kw_only=True, gc=False):
    """One side of a trade; who trades with himself has both."""

    is_maker: bool


class StoredUser(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A user; `created_us` is in microseconds since the Unix epoch."""

    user_id: int
    name: str | None
    created_us: int
