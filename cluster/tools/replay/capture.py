"""A captured half hour of an exchange: its order events and the trades it made of them.

Columns are those of the PyPI package `ob-analytics`. Prices and volumes are read from their
decimal texts into integers: floats would lose what the comparison is about.
"""

import csv
import gzip
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

from actors.book.market import Market
from actors.book.vocabulary import Side
from cluster.errors import ClusterError

_EVENT_COLUMNS = {"id", "exchange_timestamp", "price", "volume", "action", "direction"}
_TRADE_COLUMNS = {"exchange_timestamp", "price", "amount", "buy_order_id", "sell_order_id", "side"}
# A missing cell is None, which no converter takes.
_UNREADABLE = (EOFError, OSError, csv.Error, ArithmeticError, KeyError, TypeError, ValueError)
_Row = TypeVar("_Row")
_SIDES = {"bid": Side.BUY, "ask": Side.SELL}


class CaptureError(ClusterError):
    """A file is not the capture of an exchange's order flow; the sentence names the line."""


class OrderEvent(NamedTuple):
    """One message about one order: `created`, `changed` or `deleted`.

    `quantity_lots` is what remains of the order after the event, `time_ms` the exchange's clock.
    """

    order_id: int
    time_ms: int
    price_ticks: int
    quantity_lots: int
    action: str
    side: Side


class ExchangeTrade(NamedTuple):
    """One trade, by the ids of the orders that made it."""

    maker_order_id: int
    taker_order_id: int
    price_ticks: int
    quantity_lots: int


def read_events(path: Path, market: Market) -> list[OrderEvent]:
    """Return the events in the order of the exchange's clock. Raises CaptureError."""
    scale = _Scale(market)

    def event(row: dict[str, str]) -> OrderEvent:
        return OrderEvent(
            order_id=int(row["id"]),
            time_ms=int(row["exchange_timestamp"]),
            price_ticks=scale.ticks(row["price"]),
            quantity_lots=scale.lots(row["volume"]),
            action=row["action"],
            side=_SIDES[row["direction"]],
        )

    events = _parse(path, _EVENT_COLUMNS, event)
    # Stable: what one millisecond holds stays in the file's order.
    events.sort(key=lambda event: event.time_ms)
    return events


def read_trades(path: Path, market: Market) -> list[ExchangeTrade]:
    """Return the exchange's own trades as they are listed. Raises CaptureError."""
    scale = _Scale(market)

    def trade(row: dict[str, str]) -> ExchangeTrade:
        buy, sell = int(row["buy_order_id"]), int(row["sell_order_id"])
        maker, taker = (sell, buy) if row["side"] == "buy" else (buy, sell)
        return ExchangeTrade(maker, taker, scale.ticks(row["price"]), scale.lots(row["amount"]))

    return _parse(path, _TRADE_COLUMNS, trade)


class _Scale:
    """Decimal texts to the market's integers."""

    def __init__(self, market: Market) -> None:
        self._tick = Decimal(market.tick_size)
        self._lot = Decimal(market.lot_size)

    def ticks(self, text: str) -> int:
        return _whole(text, self._tick)

    def lots(self, text: str) -> int:
        return _whole(text, self._lot)


def _whole(text: str, unit: Decimal) -> int:
    units = Decimal(text) / unit
    if units != (whole := int(units)):
        raise ValueError(f"{text} is not a multiple of the market's {unit}")
    return whole


def _parse(path: Path, columns: set[str], parse: Callable[[dict[str, str]], _Row]) -> list[_Row]:
    opener: Any = gzip.open if path.suffix == ".gz" else open
    line = 0
    try:
        with opener(path, "rt", newline="") as file:
            reader = csv.DictReader(file)
            missing = columns - set(reader.fieldnames or ())
            if missing:
                raise CaptureError(f"{path} has no column {', '.join(sorted(missing))}")
            rows = []
            for row in reader:
                line = reader.line_num
                rows.append(parse(row))
            return rows
    except _UNREADABLE as error:
        raise CaptureError(f"{path}, after line {line}: {error}") from error
