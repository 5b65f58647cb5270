"""Orders as clients ask for them, turned into the exchange's: words, ticks and lots."""

from collections.abc import Mapping

from actors.book.reasons import Reason
from actors.book.vocabulary import OrderType, SelfTradePrevention, Side, TimeInForce
from api.exchange.decimals import MarketDecimals
from api.exchange.refusals import malformed, refusal
from api.exchange.values import NewOrder, Principal
from api.json.requests import (
    AmendOrder,
    PlaceOrder,
    parse_client_order_id,
    parse_expiry_us,
    parse_user_id,
)

_SIDES = {side.name: int(side) for side in Side}
_TYPES = {kind.name: int(kind) for kind in OrderType}
_TIMES = {time.name: int(time) for time in TimeInForce}
_PREVENTIONS = {prevention.name: int(prevention) for prevention in SelfTradePrevention}


def new_order(
    markets: Mapping[str, MarketDecimals], request: PlaceOrder
) -> tuple[Principal, NewOrder]:
    """Return who places which order. Raises Refusal."""
    decimals = market_named(markets, request.trading_pair)
    price, quantity, quote_quantity = request.price, request.quantity, request.quote_quantity
    client_order_id, expires_at = request.client_order_id, request.expires_at
    order_type = request.order_type or "LIMIT"
    if expires_at is not None and request.time_in_force not in (None, "GTD"):
        raise malformed("expiresAt is for timeInForce GTD.")
    order = NewOrder(
        market=decimals.market,
        side=_SIDES[request.type],
        order_type=_TYPES[order_type],
        time_in_force=_TIMES[request.time_in_force or _usual_time(order_type, expires_at)],
        self_trade_prevention=_PREVENTIONS[request.self_trade_prevention or "NONE"],
        post_only=bool(request.post_only),
        price_ticks=0 if price is None else decimals.ticks(price.units("price")),
        quantity_lots=0 if quantity is None else decimals.lots(quantity.units("quantity")),
        quote_units=0
        if quote_quantity is None
        else decimals.budget(quote_quantity.units("quoteQuantity")),
        expires_us=0 if expires_at is None else parse_expiry_us(expires_at),
        client_order_id=b"" if client_order_id is None else parse_client_order_id(client_order_id),
    )
    return Principal(parse_user_id(request.user_id)), order


def amended(decimals: MarketDecimals, request: AmendOrder) -> tuple[int, int]:
    """Return the new price in ticks and quantity in lots, 0 for what stays. Raises Refusal."""
    return (
        0 if request.price is None else decimals.ticks(request.price.units("price")),
        0 if request.quantity is None else decimals.lots(request.quantity.units("quantity")),
    )


def market_named(markets: Mapping[str, MarketDecimals], pair: str) -> MarketDecimals:
    """Return the market of a pair. Raises Refusal."""
    decimals = markets.get(pair)
    if decimals is None:
        raise refusal(Reason.UNKNOWN_MARKET)
    return decimals


def principal_of(user_id: int | None) -> Principal | None:
    """Return who acts, where somebody is named."""
    return None if user_id is None else Principal(user_id)


def _usual_time(order_type: str, expires_at: int | str | None) -> str:
    if expires_at is not None:
        return "GTD"
    return "IOC" if order_type == "MARKET" else "GTC"
