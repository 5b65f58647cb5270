"""The contract in the words of OpenAPI; on the wire msgspec does the work (`api.rest.views`)."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

Amount = Annotated[
    str,
    Field(description="A decimal as text, at most 8 decimals.", examples=["50000.5"]),
]
AmountIn = Annotated[
    float | str,
    Field(
        description="A decimal, as JSON number or text, at most 8 decimals. Taken exactly.",
        examples=["0.1"],
    ),
]
OrderId = Annotated[
    str, Field(description="A 63-bit whole number as text.", examples=["233811181600768001"])
]
UserId = Annotated[int, Field(ge=1, examples=[1])]
UserIdIn = Annotated[int | str, Field(description="A number, or its text.", examples=[1])]
Pair = Annotated[str, Field(examples=["BTC-USD"])]
Moment = Annotated[
    str, Field(description="ISO 8601 in UTC.", examples=["2026-01-31T12:00:00.000000Z"])
]
SideWord = Literal["BUY", "SELL"]
OrderTypeWord = Literal["LIMIT", "MARKET"]
TimeInForceWord = Literal["GTC", "IOC", "FOK", "GTD"]
StatusWord = Literal["OPEN", "PARTIALLY_FILLED", "FILLED", "CANCELLED", "REJECTED", "EXPIRED"]
PreventionWord = Literal["NONE", "EXPIRE_TAKER", "EXPIRE_MAKER", "EXPIRE_BOTH", "DECREMENT"]
MarketStatusWord = Literal["TRADING", "HALTED"]
Sequence = Annotated[int, Field(description="The market's own running number.")]


class Model(BaseModel):
    """Base: camel case on the wire."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True)


class Error(Model):
    """What every refusal looks like."""

    status_code: int = Field(examples=[400])
    error: str = Field(description="The status in words.", examples=["Bad Request"])
    code: str = Field(description="A stable code for programs.", examples=["OFF_TICK"])
    message: str = Field(description="A sentence for people.")
    order_id: OrderId | None = Field(
        default=None, description="With 504: the order whose outcome is not known."
    )


class PlaceOrder(Model):
    """An order to be placed."""

    trading_pair: Pair
    type: SideWord
    user_id: UserIdIn
    price: AmountIn | None = Field(default=None, description="For limit orders.")
    quantity: AmountIn | None = Field(
        default=None, description="For limit orders, and market orders without quoteQuantity."
    )
    order_type: OrderTypeWord = "LIMIT"
    time_in_force: TimeInForceWord | None = Field(
        default=None, description="GTC unless said; GTD where expiresAt is given; IOC for MARKET."
    )
    post_only: bool = Field(default=False, description="Rejected where it would trade at once.")
    quote_quantity: AmountIn | None = Field(
        default=None, description="How much quote currency a market order may spend or earn."
    )
    expires_at: int | str | None = Field(
        default=None, description="Milliseconds since 1970, or ISO 8601 with a time zone."
    )
    self_trade_prevention: PreventionWord = "NONE"
    client_order_id: str | None = Field(
        default=None,
        pattern="^[!-~]{1,36}$",
        description="The same id again is answered with the first order and never trades twice.",
    )


class PlaceOrders(Model):
    """Many orders; a bare array of them is taken too."""

    orders: list[PlaceOrder] = Field(max_length=1_000)


class AmendOrder(Model):
    """What of an order changes. Less quantity keeps its place in the queue."""

    price: AmountIn | None = None
    quantity: AmountIn | None = Field(default=None, description="The new total quantity.")
    user_id: UserIdIn | None = Field(
        default=None, description="Whose order it must be; not checked where it is left out."
    )


class Owner(Model):
    """Whose order is to be cancelled."""

    user_id: UserIdIn | None = Field(
        default=None, description="Whose order it must be; not checked where it is left out."
    )


class CreateUser(Model):
    """A user to be made."""

    name: str | None = Field(default=None, min_length=1, max_length=100, examples=["Ada"])


class User(Model):
    """Somebody who can place orders."""

    id: UserId
    name: str | None
    created_at: Moment


class Order(Model):
    """An order, the same everywhere."""

    id: OrderId
    client_order_id: str | None
    user_id: UserId
    trading_pair: Pair
    type: SideWord
    order_type: OrderTypeWord
    time_in_force: TimeInForceWord
    status: StatusWord
    price: Amount | None = Field(description="null for market orders.")
    quantity: Amount
    filled_quantity: Amount
    average_price: Amount | None = Field(description="null until something was filled.")
    created_at: Moment
    updated_at: Moment
    sequence: Sequence
    reason: str | None = Field(
        description="Why it was rejected or ended, where that was not by being filled.",
        examples=["WOULD_CROSS"],
    )


class Trade(Model):
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


class Fill(Model):
    """One order's side of a trade; who trades with himself has two of the same `id`."""

    id: OrderId = Field(description="The trade's id.")
    order_id: OrderId
    trading_pair: Pair
    type: SideWord
    role: Literal["MAKER", "TAKER"]
    price: Amount
    quantity: Amount
    created_at: Moment
    sequence: Sequence


class PlacedOrder(Model):
    """An accepted order; state and fills with `wait`, where they came in time."""

    message: str = Field(examples=["Order accepted"])
    order_id: OrderId
    order: Order | None = None
    fills: list[Trade] | None = None


class BatchResult(Model):
    """One order's answer: `orderId` and `message`, or an error's fields."""

    status_code: int = Field(examples=[201])
    message: str
    order_id: OrderId | None = None
    error: str | None = None
    code: str | None = None


class BatchResults(Model):
    """One answer an order, in the order in which they were sent."""

    results: list[BatchResult]


class ChangedOrder(Model):
    """The order after a change, and what the change traded; without `order` when still open."""

    message: str
    order_id: OrderId
    order: Order | None = None
    fills: list[Trade] | None = None


class CancelledOrders(Model):
    """How many orders were cancelled; null by pair where a market has not answered yet."""

    message: str
    cancelled: int
    markets: dict[str, int | None]


class OrdersPage(Model):
    """Orders, newest first."""

    orders: list[Order]
    next_cursor: str | None = Field(description="null on the last page.")


class FillsPage(Model):
    """Fills, newest first."""

    fills: list[Fill]
    next_cursor: str | None = Field(description="null on the last page.")


class BookRow(Model):
    """A price level, or one order with `view=orders` (then also its id, user and time)."""

    price: Amount
    quantity: Amount = Field(description="What remains to be traded.")
    filled_quantity: Amount
    status: Literal["OPEN", "PARTIALLY_FILLED"]
    orders: int = Field(description="How many orders.")
    id: OrderId | None = None
    user_id: UserId | None = None
    created_at: Moment | None = None


class Book(Model):
    """A market's book, best price first on both sides."""

    trading_pair: Pair
    sequence: Sequence
    update_id: int = Field(description="Joins this snapshot to the depth feed.")
    updated_at: Moment
    bids: list[BookRow]
    asks: list[BookRow]


class Candle(Model):
    """A window of a market; without trades it carries the last close and no volume."""

    time: int = Field(description="When the window opens, in seconds since 1970.")
    open: Amount
    high: Amount
    low: Amount
    close: Amount
    volume: Amount


class Indicators(Model):
    """Indicators at candles, oldest first; every list is as long as `times`."""

    trading_pair: Pair
    interval: str = Field(examples=["1m"])
    times: list[int] = Field(description="When each window opens, in seconds since 1970.")
    series: dict[str, list[Amount | None]] = Field(
        description="By name; null where not enough came before.",
        examples=[{"sma20": [None, "50000.5"], "rsi14": [None, "61.25"]}],
    )


class Market(Model):
    """A market's rules."""

    trading_pair: Pair
    base_currency: str
    quote_currency: str
    status: MarketStatusWord
    tick_size: Amount
    lot_size: Amount
    min_notional: Amount
    max_price: Amount
    max_quantity: Amount
    protection_percent: Amount = Field(
        description="How far from the best price a market order may reach."
    )


class Ticker(Model):
    """A market's last 24 hours; prices are null before its first trade."""

    trading_pair: Pair
    last_price: Amount | None
    open_price: Amount | None
    high_price: Amount | None
    low_price: Amount | None
    price_change: Amount
    price_change_percent: Amount
    volume: Amount
    quote_volume: Amount
    trades: int
    best_bid: Amount | None
    best_ask: Amount | None
    sequence: Sequence


class MarketState(Model):
    """A market after an operator's command."""

    message: str
    trading_pair: Pair
    status: MarketStatusWord | None = Field(description="null while the market has not answered.")


class Fingerprint(Model):
    """A market's whole state at one moment, for comparison with a fold of its log."""

    trading_pair: Pair
    next_offset: int = Field(description="The offset in `orders.new` that the market needs next.")
    sequence: Sequence
    open_orders: int
    state_hash: str = Field(description="64 bits, as a decimal number (docs/matching.md).")


class Health(Model):
    """The gateway is alive."""

    status: Literal["ok"]


class Readiness(Model):
    """Whether everything behind the gateway answers, and what does not."""

    status: Literal["ready", "not ready"]
    reasons: dict[str, str]
