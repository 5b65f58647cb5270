"""Answers of REST beyond orders, trades and refusals."""

from fractions import Fraction
from typing import Annotated, Any, Literal

import msgspec
from msgspec import UNSET, Meta, UnsetType

from actors.book.records import RecordArray
from actors.book.vocabulary import Side
from actors.platform import messages
from actors.platform.messages import DepthSnapshot
from analytics.messages import IndicatorSeries
from analytics.messages import Ticker as TickerValues
from api.exchange import values
from api.exchange.decimals import UNITS, MarketDecimals, format_fraction, format_units
from api.exchange.market_data import BookOrders
from api.json.requests import SideWord
from api.json.views import (
    Amount,
    BookRow,
    Moment,
    Order,
    OrderId,
    Pair,
    RetryAfter,
    UserId,
    View,
    level_rows,
    timestamp,
    trade_id_text,
)
from api.json.views import (
    Sequence as SequenceNumber,
)

MarketStatusWord = Literal["TRADING", "HALTED"]


class User(View, frozen=True):
    """Somebody who can place orders."""

    id: UserId
    name: str | None
    created_at: Moment


class Fill(View, frozen=True):
    """One order's side of a trade; who trades with himself has two of the same `id`."""

    id: Annotated[OrderId, Meta(description="The trade's id.")]
    order_id: OrderId
    trading_pair: Pair
    type: SideWord
    role: Literal["MAKER", "TAKER"]
    price: Amount
    quantity: Amount
    created_at: Moment
    sequence: SequenceNumber


class BatchResult(View, frozen=True):
    """One order's answer: `orderId` and `message`, or an error's fields."""

    status_code: Annotated[int, Meta(examples=[201])]
    message: str
    order_id: OrderId | UnsetType = UNSET
    error: str | UnsetType = UNSET
    code: str | UnsetType = UNSET
    retry_after: RetryAfter | UnsetType = UNSET


class BatchResults(View, frozen=True):
    """One answer an order, in the order in which they were sent."""

    results: list[BatchResult]


class CancelledOrders(View, frozen=True):
    """How many orders were cancelled; null by pair where a market has not answered yet."""

    message: str
    cancelled: int
    markets: dict[str, int | None]


class OrdersPage(View, frozen=True):
    """Orders, newest first."""

    orders: list[Order]
    next_cursor: Annotated[str | None, Meta(description="null on the last page.")]


class FillsPage(View, frozen=True):
    """Fills, newest first."""

    fills: list[Fill]
    next_cursor: Annotated[str | None, Meta(description="null on the last page.")]


class Book(View, frozen=True):
    """A market's book, best price first on both sides."""

    trading_pair: Pair
    sequence: SequenceNumber
    update_id: Annotated[int, Meta(description="Joins this snapshot to the depth feed.")]
    updated_at: Moment
    bids: list[BookRow]
    asks: list[BookRow]


class Candle(View, frozen=True):
    """A window of a market; without trades it carries the last close and no volume."""

    time: Annotated[int, Meta(description="When the window opens, in seconds since 1970.")]
    open: Amount
    high: Amount
    low: Amount
    close: Amount
    volume: Amount


class Indicators(View, frozen=True):
    """Indicators at candles, oldest first; every list is as long as `times`."""

    trading_pair: Pair
    interval: Annotated[str, Meta(examples=["1m"])]
    times: Annotated[list[int], Meta(description="When each window opens, in seconds since 1970.")]
    series: Annotated[
        dict[str, list[Amount | None]],
        Meta(
            description="By name; null where not enough came before.",
            examples=[{"sma20": [None, "50000.5"], "rsi14": [None, "61.25"]}],
        ),
    ]


class Market(View, frozen=True):
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
    protection_percent: Annotated[
        Amount, Meta(description="How far from the best price a market order may reach.")
    ]


class Ticker(View, frozen=True):
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
    sequence: SequenceNumber


class MarketState(View, frozen=True):
    """A market after an operator's command."""

    message: str
    trading_pair: Pair
    status: Annotated[
        MarketStatusWord | None, Meta(description="null while the market has not answered.")
    ]


class Fingerprint(View, frozen=True):
    """A market's whole state at one moment, for comparison with a fold of its log."""

    trading_pair: Pair
    next_offset: Annotated[
        int, Meta(description="The offset in `orders.new` that the market needs next.")
    ]
    sequence: SequenceNumber
    open_orders: int
    state_hash: Annotated[str, Meta(description="64 bits, as a decimal number (docs/matching.md).")]


class Health(View, frozen=True):
    """The gateway is alive."""

    status: Literal["ok"]


class Readiness(View, frozen=True):
    """Whether everything behind the gateway answers, and what does not."""

    status: Literal["ready", "not ready"]
    reasons: dict[str, str]


def user_view(user: values.User) -> User:
    """Return a user's view."""
    return User(id=user.user_id, name=user.name, created_at=timestamp(user.created_us))


def fill_view(decimals: MarketDecimals, fill: values.Fill) -> Fill:
    """Return a fill's view."""
    bought = (fill.aggressor_side == Side.BUY) is not fill.is_maker
    return Fill(
        id=trade_id_text(fill.market_id, fill.trade_id),
        order_id=str(fill.maker_order_id if fill.is_maker else fill.taker_order_id),
        trading_pair=decimals.market.pair,
        type="BUY" if bought else "SELL",
        role="MAKER" if fill.is_maker else "TAKER",
        price=decimals.price(fill.price_ticks),
        quantity=decimals.quantity(fill.quantity_lots),
        created_at=timestamp(fill.time_us),
        sequence=fill.sequence,
    )


def book_view(decimals: MarketDecimals, depth: DepthSnapshot, *, limit: int) -> Book:
    """Return the view of a book's levels, at most `limit` a side."""
    return _book(
        decimals,
        depth,
        level_rows(decimals, depth.bids[:limit]),
        level_rows(decimals, depth.asks[:limit]),
    )


def book_orders_view(decimals: MarketDecimals, book: BookOrders) -> Book:
    """Return the view of a book's orders."""
    return _book(
        decimals, book.head, _order_rows(decimals, book.bids), _order_rows(decimals, book.asks)
    )


def _book(
    decimals: MarketDecimals, head: DepthSnapshot, bids: list[BookRow], asks: list[BookRow]
) -> Book:
    return Book(
        trading_pair=decimals.market.pair,
        sequence=head.sequence,
        update_id=head.update_id,
        updated_at=timestamp(head.time_us),
        bids=bids,
        asks=asks,
    )


def _order_rows(decimals: MarketDecimals, images: RecordArray) -> list[BookRow]:
    return [_order_row(decimals, image) for image in images]


def _order_row(decimals: MarketDecimals, image: Any) -> BookRow:
    filled_lots = int(image["filled_lots"])
    return BookRow(
        price=decimals.price(int(image["price_ticks"])),
        quantity=decimals.quantity(int(image["quantity_lots"]) - filled_lots),
        filled_quantity=decimals.quantity(filled_lots),
        status="PARTIALLY_FILLED" if filled_lots else "OPEN",
        orders=1,
        id=str(image["order_id"]),
        user_id=int(image["user_id"]),
        created_at=timestamp(int(image["created_us"])),
    )


def candle_view(decimals: MarketDecimals, candle: messages.Candle) -> Candle:
    """Return a candle's view."""
    return Candle(
        time=candle.open_time_s,
        open=decimals.price(candle.open_ticks),
        high=decimals.price(candle.high_ticks),
        low=decimals.price(candle.low_ticks),
        close=decimals.price(candle.close_ticks),
        volume=decimals.quantity(candle.volume_lots),
    )


def indicators_view(decimals: MarketDecimals, interval: str, found: IndicatorSeries) -> Indicators:
    """Return the view of indicators."""
    prices = {
        name: [None if value is None else decimals.price_between(value) for value in series]
        for name, series in found.prices.items()
    }
    numbers = {
        name: [None if value is None else format_units(round(value * UNITS)) for value in series]
        for name, series in found.numbers.items()
    }
    return Indicators(
        trading_pair=decimals.market.pair,
        interval=interval,
        times=found.times_s,
        series=prices | numbers,
    )


def market_view(decimals: MarketDecimals, *, halted: bool) -> Market:
    """Return the view of a market's rules."""
    market = decimals.market
    base, _, quote = market.pair.partition("-")
    return Market(
        trading_pair=market.pair,
        base_currency=base,
        quote_currency=quote,
        status="HALTED" if halted else "TRADING",
        tick_size=decimals.price(1),
        lot_size=decimals.quantity(1),
        min_notional=decimals.notional(market.min_notional_units),
        max_price=decimals.price(market.max_price_ticks),
        max_quantity=decimals.quantity(market.max_quantity_lots),
        protection_percent=format_units(market.protection_bps * UNITS // 100),
    )


def ticker_view(
    decimals: MarketDecimals, ticker: TickerValues | None, depth: DepthSnapshot
) -> Ticker:
    """Return the view of a ticker with the touch; all that trades make is unknown before one."""
    before_trades = Ticker(
        trading_pair=decimals.market.pair,
        last_price=None,
        open_price=None,
        high_price=None,
        low_price=None,
        price_change="0",
        price_change_percent="0",
        volume="0",
        quote_volume="0",
        trades=0,
        best_bid=decimals.price(depth.bids[0][0]) if depth.bids else None,
        best_ask=decimals.price(depth.asks[0][0]) if depth.asks else None,
        sequence=depth.sequence,
    )
    if ticker is None:
        return before_trades
    percent = Fraction(ticker.change_ticks * 100, ticker.open_ticks)
    return msgspec.structs.replace(
        before_trades,
        last_price=decimals.price(ticker.last_ticks),
        open_price=decimals.price(ticker.open_ticks),
        high_price=decimals.price(ticker.high_ticks),
        low_price=decimals.price(ticker.low_ticks),
        price_change=decimals.price(ticker.change_ticks),
        price_change_percent=format_fraction(round(percent, 4)),
        volume=decimals.quantity(ticker.volume_lots),
        quote_volume=decimals.notional(ticker.notional),
        trades=ticker.trade_count,
    )
