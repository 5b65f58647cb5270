"""From a client's order to what the log takes: all that can be judged without the book."""

import msgspec

from actors.book.reasons import Reason
from actors.book.vocabulary import OrderType, SelfTradePrevention, Side, TimeInForce
from api.asgi.errors import InvalidRequestError, refusal
from api.exchange import commands
from api.exchange.decimals import MarketUnits
from api.rest.requests import (
    PlaceRequest,
    parse_client_order_id,
    parse_expiry_us,
    parse_user_id,
)

_SIDES = {side.name: int(side) for side in Side}
_TYPES = {kind.name: int(kind) for kind in OrderType}
_TIMES = {time.name: int(time) for time in TimeInForce}
_PREVENTIONS = {prevention.name: int(prevention) for prevention in SelfTradePrevention}


class OrderDraft(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """An order in integers, before it has an id and a time."""

    units: MarketUnits
    user_id: int
    side: int
    order_type: int
    time_in_force: int
    self_trade_prevention: int
    post_only: bool
    price_ticks: int
    quantity_lots: int
    quote_units: int
    expires_us: int
    client_order_id: bytes

    def command(self, *, order_id: int, time_us: int) -> bytes:
        """Return the PLACE command of this order."""
        return commands.place(
            order_id=order_id,
            user_id=self.user_id,
            side=self.side,
            order_type=self.order_type,
            time_in_force=self.time_in_force,
            self_trade_prevention=self.self_trade_prevention,
            post_only=self.post_only,
            price_ticks=self.price_ticks,
            quantity_lots=self.quantity_lots,
            quote_units=self.quote_units,
            time_us=time_us,
            expires_us=self.expires_us,
            client_order_id=self.client_order_id,
        )


class Drafting:
    """Judge orders by the rules of their markets."""

    def __init__(self, markets: dict[str, MarketUnits]) -> None:
        self._markets = markets

    def draft(self, request: PlaceRequest, *, now_us: int) -> OrderDraft:
        """Return an order's draft. Raises ApiError, with the book's reason where it has one."""
        units = self._markets.get(request.trading_pair)
        if units is None:
            raise refusal(Reason.UNKNOWN_MARKET)
        market_order = request.order_type == "MARKET"
        time_in_force = _time_in_force(request, market_order)
        price_ticks, quantity_lots, quote_units = (
            _market_amounts(units, request) if market_order else _limit_amounts(units, request)
        )
        post_only = bool(request.post_only)
        if post_only and (market_order or time_in_force in (TimeInForce.IOC, TimeInForce.FOK)):
            raise _malformed("postOnly is for limit orders that may rest: GTC or GTD.")
        if quote_units and time_in_force == TimeInForce.FOK:
            raise _malformed("quoteQuantity cannot be FOK: how much it buys is not known before.")
        client_order_id = request.client_order_id
        return OrderDraft(
            units=units,
            user_id=parse_user_id(request.user_id),
            side=_SIDES[request.type],
            order_type=_TYPES[request.order_type or "LIMIT"],
            time_in_force=time_in_force,
            self_trade_prevention=_PREVENTIONS[request.self_trade_prevention or "NONE"],
            post_only=post_only,
            price_ticks=price_ticks,
            quantity_lots=quantity_lots,
            quote_units=quote_units,
            expires_us=_expires_us(request, time_in_force, now_us),
            client_order_id=(
                b"" if client_order_id is None else parse_client_order_id(client_order_id)
            ),
        )


def _time_in_force(request: PlaceRequest, market_order: bool) -> int:
    word = request.time_in_force
    if word is None and request.expires_at is not None:
        word = "GTD"
    if word is None:
        word = "IOC" if market_order else "GTC"
    if market_order and word not in ("IOC", "FOK"):
        raise _malformed("A market order is IOC or FOK: it never rests.")
    return _TIMES[word]


def _limit_amounts(units: MarketUnits, request: PlaceRequest) -> tuple[int, int, int]:
    if request.price is None:
        raise _malformed("A limit order needs a price.")
    if request.quantity is None:
        raise _malformed("A limit order needs a quantity.")
    if request.quote_quantity is not None:
        raise _malformed("quoteQuantity is for market orders.")
    price_ticks = units.price_ticks(request.price)
    quantity_lots = units.quantity_lots(request.quantity)
    if price_ticks * quantity_lots < units.market.min_notional_units:
        raise _below_minimum(units)
    return price_ticks, quantity_lots, 0


def _market_amounts(units: MarketUnits, request: PlaceRequest) -> tuple[int, int, int]:
    if request.price is not None:
        raise _malformed("A market order has no price.")
    if (request.quantity is None) == (request.quote_quantity is None):
        raise _malformed("A market order needs either a quantity or a quoteQuantity.")
    if request.quantity is not None:
        return 0, units.quantity_lots(request.quantity), 0
    assert request.quote_quantity is not None  # noqa: S101
    quote_units = units.quote_units(request.quote_quantity)
    if quote_units < units.market.min_notional_units:
        raise _below_minimum(units)
    return 0, 0, quote_units


def _expires_us(request: PlaceRequest, time_in_force: int, now_us: int) -> int:
    if time_in_force != TimeInForce.GTD:
        if request.expires_at is not None:
            raise _malformed("expiresAt is for timeInForce GTD.")
        return 0
    if request.expires_at is None:
        raise _malformed("timeInForce GTD needs expiresAt.")
    expires_us = parse_expiry_us(request.expires_at)
    if expires_us <= now_us:
        raise refusal(Reason.EXPIRED)
    return expires_us


def _below_minimum(units: MarketUnits) -> Exception:
    least = units.notional(units.market.min_notional_units)
    return refusal(
        Reason.BELOW_MINIMUM_NOTIONAL,
        f"The order's value is below {units.market.pair}'s minimum, {least}.",
    )


def _malformed(message: str) -> InvalidRequestError:
    return InvalidRequestError("MALFORMED", message)
