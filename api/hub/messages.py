"""What the hub sends besides orders and trades, and what clients may ask of it."""

from collections.abc import Iterable
from typing import Literal

import msgspec

from actors.platform.messages import Candle, DepthChange, DepthSnapshot, LevelRow
from analytics.intervals import Interval
from api.exchange.decimals import MarketDecimals
from api.json.views import BookRow, Error, Order, Trade, level_rows

Feed = Literal["book", "depth"]


class SubscribeRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True, gc=False):
    """`{room}`; `feed` chooses between whole top levels and every change of a level."""

    room: str
    feed: Feed = "book"
    interval: str = "1m"


class UnsubscribeRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True, gc=False):
    """`{room}`."""

    room: str


class Subscribed(msgspec.Struct, frozen=True, gc=False):
    """The answer to a subscription: from here on nothing of the room is missed."""

    room: str
    feed: Feed
    interval: str


class BookUpdate(msgspec.Struct, frozen=True, kw_only=True, rename="camel", gc=False):
    """The top levels whole, best first, as they stood at `sequence` and `update_id`."""

    trading_pair: str
    sequence: int
    update_id: int
    bids: list[BookRow]
    asks: list[BookRow]


class ChangedLevel(msgspec.Struct, frozen=True, kw_only=True, rename="camel", gc=False):
    """A level that changed, as it stands now; quantity "0" means that it is gone."""

    price: str
    quantity: str
    filled_quantity: str
    orders: int


class DepthUpdate(msgspec.Struct, frozen=True, kw_only=True, rename="camel", gc=False):
    """Levels that changed by the update ids `first_update_id` to `last_update_id`, both included.

    A first id above the last one holds no change: it only says that the first id comes next.
    """

    trading_pair: str
    sequence: int
    first_update_id: int
    last_update_id: int
    bids: list[ChangedLevel]
    asks: list[ChangedLevel]


class CandleUpdate(msgspec.Struct, frozen=True, kw_only=True, rename="camel", gc=False):
    """A window's candle, whole; `time` is when it opened, in seconds.

    The open window comes after each change, a closed one when late trades have changed it.
    """

    trading_pair: str
    interval: str
    time: int
    open: str
    high: str
    low: str
    close: str
    volume: str
    sequence: int


class BookUpdates:
    """Make the events of one market's snapshots; a level that stands as it did is kept as it is.

    From one snapshot to the next most of a hundred levels do.
    """

    def __init__(self, units: MarketDecimals) -> None:
        self._units = units
        self._rows: dict[LevelRow, BookRow] = {}

    def of(self, depth: DepthSnapshot) -> BookUpdate:
        """Return the event of a snapshot."""
        levels = [*depth.bids, *depth.asks]
        new = [level for level in levels if level not in self._rows]
        made = dict(zip(new, level_rows(self._units, new), strict=True))
        known = self._rows | made
        self._rows = {level: known[level] for level in levels}
        return BookUpdate(
            trading_pair=self._units.market.pair,
            sequence=depth.sequence,
            update_id=depth.update_id,
            bids=[known[level] for level in depth.bids],
            asks=[known[level] for level in depth.asks],
        )


def depth_update(units: MarketDecimals, change: DepthChange) -> DepthUpdate:
    """Return the event of a change."""
    return DepthUpdate(
        trading_pair=units.market.pair,
        sequence=change.sequence,
        first_update_id=change.previous_update_id + 1,
        last_update_id=change.last_update_id,
        bids=_changed(units, change.bids),
        asks=_changed(units, change.asks),
    )


def candle_update(units: MarketDecimals, interval: Interval, candle: Candle) -> CandleUpdate:
    """Return the event of a candle."""
    return CandleUpdate(
        trading_pair=units.market.pair,
        interval=interval.value,
        time=candle.open_time_s,
        open=units.price(candle.open_ticks),
        high=units.price(candle.high_ticks),
        low=units.price(candle.low_ticks),
        close=units.price(candle.close_ticks),
        volume=units.quantity(candle.volume_lots),
        sequence=candle.last_sequence,
    )


def _changed(units: MarketDecimals, rows: Iterable[LevelRow]) -> list[ChangedLevel]:
    return [
        ChangedLevel(
            price=units.price(price_ticks),
            quantity=units.quantity(quantity_lots),
            filled_quantity=units.quantity(filled_lots),
            orders=order_count,
        )
        for price_ticks, quantity_lots, filled_lots, order_count in rows
    ]


# The schema of the feed: what the payload of each event may be.
EVENTS: dict[str, tuple[type[msgspec.Struct], ...]] = {
    "new_trade": (Trade,),
    "order_update": (Order,),
    "orderbook_update": (BookUpdate, DepthUpdate),
    "candle_update": (CandleUpdate,),
    "error": (Error,),
}
