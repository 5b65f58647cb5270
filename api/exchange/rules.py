"""Rules of orders that can be judged without the book: docs/matching.md."""

from actors.book.reasons import Reason
from actors.book.vocabulary import OrderType, TimeInForce
from api.exchange.decimals import MarketDecimals
from api.exchange.refusals import Refusal, malformed, refusal
from api.exchange.values import NewOrder

# An enumeration looks a member up by name each time, and every order asks several times.
_MARKET = int(OrderType.MARKET)
_IOC, _FOK, _GTD = int(TimeInForce.IOC), int(TimeInForce.FOK), int(TimeInForce.GTD)


def check_order(decimals: MarketDecimals, order: NewOrder, *, now_us: int) -> None:
    """Raise Refusal where no book of the order's market would take it."""
    if order.order_type == _MARKET:
        _check_market_order(order)
    else:
        _check_limit_order(order)
    at_once = order.time_in_force in (_IOC, _FOK)
    if order.post_only and (order.order_type == _MARKET or at_once):
        raise malformed("A post-only order is a limit order that may rest: GTC or GTD.")
    _check_expiry(order, now_us)
    notional = order.quote_units or order.price_ticks * order.quantity_lots
    # A market order by quantity has no price yet: its notional is not known.
    if notional and notional < order.market.min_notional_units:
        raise below_minimum(decimals)


def _check_market_order(order: NewOrder) -> None:
    if order.price_ticks:
        raise malformed("A market order has no price.")
    if bool(order.quantity_lots) == bool(order.quote_units):
        raise malformed("A market order needs either a quantity or an amount of quote currency.")
    if order.time_in_force not in (_IOC, _FOK):
        raise malformed("A market order is IOC or FOK: it never rests.")
    if order.quote_units and order.time_in_force == _FOK:
        raise malformed(
            "An amount of quote currency cannot be FOK: how much it buys is not known before."
        )


def _check_limit_order(order: NewOrder) -> None:
    if not order.price_ticks:
        raise malformed("A limit order needs a price.")
    if not order.quantity_lots:
        raise malformed("A limit order needs a quantity.")
    if order.quote_units:
        raise malformed("An amount of quote currency is for market orders.")


def _check_expiry(order: NewOrder, now_us: int) -> None:
    if order.time_in_force != _GTD:
        if order.expires_us:
            raise malformed("An expiry is for orders that are GTD.")
        return
    if not order.expires_us:
        raise malformed("An order that is GTD needs an expiry.")
    if order.expires_us <= now_us:
        raise refusal(Reason.EXPIRED)


def below_minimum(decimals: MarketDecimals) -> Refusal:
    """Return the refusal of an order whose value is below its market's minimum."""
    least = decimals.notional(decimals.market.min_notional_units)
    return refusal(
        Reason.BELOW_MINIMUM_NOTIONAL,
        f"The order's value is below {decimals.market.pair}'s minimum, {least}.",
    )
