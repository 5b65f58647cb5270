"""Checks of the naive book: the first that fails is the reason (docs/matching.md)."""

from actors.book.market import Market
from actors.book.naive_orders import NaiveOrder, NaiveSide
from actors.book.reasons import Reason
from actors.book.vocabulary import Flag, OrderType, SelfTradePrevention, Side, TimeInForce

_OPERATOR = 0
_FEE_MAX = 100_000
_AT_ONCE = (TimeInForce.IOC, TimeInForce.FOK)
_STOPS_AT_OWN = (
    SelfTradePrevention.EXPIRE_TAKER,
    SelfTradePrevention.EXPIRE_BOTH,
    SelfTradePrevention.DECREMENT,
)


def place_refusal(
    order: NaiveOrder,
    *,
    market: Market,
    opposite: NaiveSide,
    time_us: int,
    halted: bool,
    client_id_taken: bool,
) -> Reason:
    """Return why a new order is rejected (checks 3 to 11 of PLACE), NONE where it is not."""
    if is_malformed(order):
        return Reason.MALFORMED
    if client_id_taken:
        return Reason.DUPLICATE_CLIENT_ORDER_ID
    if halted:
        return Reason.HALTED
    if order.time_in_force == TimeInForce.GTD and order.expires_us <= time_us:
        return Reason.EXPIRED
    value_refusal = _value_refusal(order, market)
    if value_refusal != Reason.NONE:
        return value_refusal
    if order.flags & Flag.POST_ONLY and opposite.reaches(order.price_ticks):
        return Reason.WOULD_CROSS
    if order.time_in_force == TimeInForce.FOK:
        limit = limit_of(order, market=market, opposite=opposite)
        if not _can_fill(order, opposite, limit):
            return Reason.NOT_ENOUGH_TO_FILL
    return Reason.NONE


def is_malformed(order: NaiveOrder) -> bool:
    """Tell whether an order's fields contradict each other or leave the vocabulary."""
    post_only = bool(order.flags & Flag.POST_ONLY)
    if order.user_id < 1 or order.side not in set(Side):
        return True
    if order.time_in_force not in set(TimeInForce):
        return True
    if order.self_trade_prevention not in set(SelfTradePrevention):
        return True
    if post_only and order.time_in_force in _AT_ONCE:
        return True
    if order.time_in_force == TimeInForce.GTD and order.expires_us < 1:
        return True
    if order.trigger_ticks or order.trigger or order.trail_bps:
        return True
    if order.display_lots or order.list_id or order.leg:
        return True
    if not (0 <= order.taker_fee <= _FEE_MAX and -order.taker_fee <= order.maker_fee <= _FEE_MAX):
        return True
    if order.order_type == OrderType.LIMIT:
        return order.quote_units != 0 or order.budget != 0
    if order.order_type == OrderType.MARKET:
        needs_budget = (order.side == Side.SELL) == (order.quote_units != 0)
        return (
            (order.budget != 0 and not needs_budget)
            or order.time_in_force not in _AT_ONCE
            or order.price_ticks != 0
            or (order.quantity_lots != 0) == (order.quote_units != 0)
            or post_only
            or (order.time_in_force == TimeInForce.FOK and order.quote_units != 0)
        )
    return True


def _value_refusal(order: NaiveOrder, market: Market) -> Reason:
    if order.budget < 0:
        return Reason.NOT_POSITIVE
    if order.order_type == OrderType.LIMIT:
        if order.price_ticks < 1 or order.quantity_lots < 1:
            return Reason.NOT_POSITIVE
        value = order.price_ticks * order.quantity_lots
    elif order.by_quote:
        if order.quote_units < 1:
            return Reason.NOT_POSITIVE
        value = order.quote_units
    else:
        if order.quantity_lots < 1:
            return Reason.NOT_POSITIVE
        value = market.min_notional_units
    if (
        order.price_ticks > market.max_price_ticks
        or order.quantity_lots > market.max_quantity_lots
        or order.quote_units > market.max_notional_units
    ):
        return Reason.ABOVE_MAXIMUM
    if value < market.min_notional_units:
        return Reason.BELOW_MINIMUM_NOTIONAL
    return Reason.NONE


def limit_of(order: NaiveOrder, *, market: Market, opposite: NaiveSide) -> int:
    """Return the worst price in ticks at which an order may trade, by protection for MARKET."""
    best = opposite.best
    if order.order_type == OrderType.LIMIT or best is None:
        return order.price_ticks
    reach = best * market.protection_bps // 10_000
    if order.side == Side.BUY:
        return min(best + reach, market.max_price_ticks)
    return max(best - reach, 1)


def _can_fill(order: NaiveOrder, opposite: NaiveSide, limit_ticks: int) -> bool:
    """Tell whether an order finds its whole quantity within its limit and can pay for it."""
    wanted, cost = order.quantity_lots, 0
    for maker in opposite.by_priority():
        beyond = (
            maker.price_ticks > limit_ticks
            if order.side == Side.BUY
            else maker.price_ticks < limit_ticks
        )
        if beyond or wanted == 0:
            break
        if maker.user_id == order.user_id:
            if order.self_trade_prevention in _STOPS_AT_OWN:
                break
            if order.self_trade_prevention == SelfTradePrevention.EXPIRE_MAKER:
                continue
        lots = min(wanted, maker.remaining)
        wanted -= lots
        cost += lots * maker.price_ticks
    return wanted == 0 and (order.budget == 0 or cost <= order.budget)


def cancel_refusal(order: NaiveOrder | None, *, user_id: int) -> Reason:
    """Return why a user may not touch an order, NONE where they may."""
    if order is None:
        return Reason.UNKNOWN_ORDER
    if user_id not in (_OPERATOR, order.user_id):
        return Reason.NOT_OWNER
    return Reason.NONE


def amend_refusal(
    order: NaiveOrder,
    *,
    market: Market,
    opposite: NaiveSide,
    price_ticks: int,
    quantity_lots: int,
) -> Reason:
    """Return why an open order may not be amended so (0: unchanged), NONE where it may."""
    if price_ticks < 0 or quantity_lots < 0 or (price_ticks == 0 and quantity_lots == 0):
        return Reason.MALFORMED
    if price_ticks > market.max_price_ticks or quantity_lots > market.max_quantity_lots:
        return Reason.ABOVE_MAXIMUM
    price = price_ticks or order.price_ticks
    quantity = quantity_lots or order.quantity_lots
    if quantity <= order.filled_lots:
        return Reason.QUANTITY_BELOW_FILLED
    if price * quantity < market.min_notional_units:
        return Reason.BELOW_MINIMUM_NOTIONAL
    loses_place = price != order.price_ticks or quantity > order.quantity_lots
    if order.flags & Flag.POST_ONLY and loses_place and opposite.reaches(price):
        return Reason.WOULD_CROSS
    return Reason.NONE
