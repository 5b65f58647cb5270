"""Events of real books, and what the tables must hold after them, worked out slowly."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from actors.book.codec import encode_events
from actors.book.market import Market
from actors.book.naive import NaiveBook
from actors.book.records import RecordArray
from actors.book.vocabulary import EventKind, Flag, Side
from tests.property.streams import ARENAS, stream

IMAGE = [
    *("user_id", "side", "order_type", "time_in_force", "self_trade_prevention", "status"),
    *("reason", "price_ticks", "quantity_lots", "filled_lots", "notional", "quote_units"),
    *("expires_us", "created_us", "sequence"),
]
Row = dict[str, Any]


@dataclass(kw_only=True)
class History:
    """One market's records, and its rows by order and by trade."""

    market_id: int
    records: list[bytes] = field(default_factory=list)
    events: list[RecordArray] = field(default_factory=list)

    @property
    def last_sequence(self) -> int:
        return max(int(events["sequence"][-1]) for events in self.events if len(events))

    def orders(self, *, up_to: int = 2**62) -> dict[int, Row]:
        """Return what `orders` holds when all events up to a sequence are written."""
        rows: dict[int, Row] = {}
        for event in np.concatenate(self.events):
            is_image = event["kind"] in (EventKind.ORDER, EventKind.TRADE)
            if is_image and event["sequence"] <= up_to:
                rows[int(event["order_id"])] = self._order(event)
        return rows

    def _order(self, event: Any) -> Row:
        row = {name: int(event[name]) for name in IMAGE}
        is_order = event["kind"] == EventKind.ORDER
        text = event["client_order_id"].tobytes().rstrip(b"\0")
        return row | {
            "order_id": int(event["order_id"]),
            "market_id": self.market_id,
            "flags": int(event["flags"]) & Flag.POST_ONLY,
            "updated_us": int(event["time_us"]),
            "related_order_id": int(event["related_order_id"]) if is_order else 0,
            "client_order_id": "".join(chr(c) if 0 < c < 0x7F else "?" for c in text),
        }

    def trades(self, *, up_to: int = 2**62) -> dict[int, Row]:
        """Return what `trades` holds when all events up to a sequence are written."""
        return {
            int(event["trade_id"]): {
                "market_id": self.market_id,
                "trade_id": int(event["trade_id"]),
                "sequence": int(event["sequence"]),
                "time_us": int(event["time_us"]),
                "price_ticks": int(event["price_ticks"]),
                "quantity_lots": int(event["trade_lots"]),
                "aggressor_side": Side.SELL if event["side"] == Side.BUY else Side.BUY,
                "maker_order_id": int(event["order_id"]),
                "taker_order_id": int(event["related_order_id"]),
                "maker_user_id": int(event["user_id"]),
                "taker_user_id": int(event["related_user_id"]),
            }
            for event in np.concatenate(self.events)
            if event["kind"] == EventKind.TRADE and event["sequence"] <= up_to
        }


def history(
    market: Market, *, seed: int, commands: int, record_commands: int = 40, unique_ids: bool = False
) -> History:
    """Run a seeded stream, foreign and spoilt commands included, through a book.

    Where ids must be unique over all markets, the one that every stream holds is made another.
    """
    made = History(market_id=market.market_id)
    book = NaiveBook(market)
    todo = stream(ARENAS["crowded"], seed=seed, count=commands)
    if unique_ids:
        todo["order_id"][todo["order_id"] == 2**63 - 1] -= market.market_id
    for number, start in enumerate(range(0, commands, record_commands)):
        append(made, book, todo[start : start + record_commands], offset=number)
    return made


def append(made: History, book: NaiveBook, commands: RecordArray, *, offset: int) -> None:
    """Apply commands that lie in one record of `orders.new` and keep the record of their events."""
    first = book.sequence + 1
    events = book.apply(commands).events
    made.events.append(events)
    made.records.append(
        encode_events(
            market_id=market_id(book),
            first_sequence=first,
            last_sequence=book.sequence,
            first_offset=offset,
            next_offset=offset + 1,
            events=events,
        )
    )


def market_id(book: NaiveBook) -> int:
    return book.market.market_id
