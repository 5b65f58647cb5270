"""Events as rows: every trade, and of every order its last image.

An order that changes many times in a batch is written once. NEW tells a row to insert from a row
to change, so no order has to be looked up.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from actors.book.records import RecordArray, decode_client_order_ids
from actors.book.vocabulary import EventKind, Flag, Side
from actors.follow.copy_format import BIGINT, INTEGER, SMALLINT, CopyLayout

TRADE_LAYOUT = CopyLayout(
    {
        "market_id": INTEGER,
        "trade_id": BIGINT,
        "sequence": BIGINT,
        "time_us": BIGINT,
        "price_ticks": BIGINT,
        "quantity_lots": BIGINT,
        "aggressor_side": SMALLINT,
        "maker_order_id": BIGINT,
        "taker_order_id": BIGINT,
        "maker_user_id": BIGINT,
        "taker_user_id": BIGINT,
    }
)

_ORDER_KEY = {"order_id": BIGINT, "market_id": INTEGER}
_ORDER_STATE = {
    "status": SMALLINT,
    "reason": INTEGER,
    "price_ticks": BIGINT,
    "quantity_lots": BIGINT,
    "filled_lots": BIGINT,
    "notional": BIGINT,
    "updated_us": BIGINT,
    "sequence": BIGINT,
}
_ORDER_ORIGIN = {
    "user_id": BIGINT,
    "side": SMALLINT,
    "order_type": SMALLINT,
    "time_in_force": SMALLINT,
    "self_trade_prevention": SMALLINT,
    "flags": SMALLINT,
    "quote_units": BIGINT,
    "expires_us": BIGINT,
    "created_us": BIGINT,
    "related_order_id": BIGINT,
}
# Postgres' types of what changes in an order, by column.
CHANGE_COLUMNS = {
    column: {SMALLINT: "smallint", INTEGER: "integer", BIGINT: "bigint"}[width]
    for column, width in (_ORDER_KEY | _ORDER_STATE).items()
}
ORDER_LAYOUT = CopyLayout(_ORDER_KEY | _ORDER_STATE | _ORDER_ORIGIN, text="client_order_id")

ORDER_KEY = tuple(_ORDER_KEY)
ORDER_STATE = tuple(_ORDER_STATE)
ORDER_REST = (*_ORDER_ORIGIN, "client_order_id")

_RENAMED = {"updated_us": "time_us"}


@dataclass(frozen=True, slots=True)
class Rows:
    """What a batch of events comes to: trades, orders first seen in it, changes of older ones.

    `trades` are the TRADE events as they are; `inserts` and `changes` are last images, in order
    of market and id, as their index has them.
    """

    trades: RecordArray
    inserts: RecordArray
    changes: RecordArray

    def __len__(self) -> int:
        return len(self.trades) + len(self.inserts) + len(self.changes)


def rows_of(events: RecordArray) -> Rows:
    """Return the rows of events (`EVENT_DTYPE`), each market's in order of sequence."""
    kind = events["kind"]
    trade = kind == EventKind.TRADE
    images = np.flatnonzero(trade | (kind == EventKind.ORDER))
    if len(images) == 0:
        return Rows(trades=events[:0], inserts=events[:0], changes=events[:0])
    # Only the columns that are looked at are moved; of the events, those that become rows.
    market_id, order_id = events["market_id"][images], events["order_id"][images]
    by_order = np.lexsort((order_id, market_id))
    market_id, order_id = market_id[by_order], order_id[by_order]
    is_first = np.ones(len(images), np.bool_)
    is_first[1:] = (order_id[1:] != order_id[:-1]) | (market_id[1:] != market_id[:-1])
    starts = np.flatnonzero(is_first)
    in_order = images[by_order]
    is_new = np.logical_or.reduceat(events["flags"][in_order] & Flag.NEW, starts).astype(np.bool_)
    last = in_order[np.append(starts[1:], len(images)) - 1]
    return Rows(trades=events[trade], inserts=events[last[is_new]], changes=events[last[~is_new]])


def trade_payload(trades: RecordArray) -> bytes:
    """Return the COPY payload (`TRADE_LAYOUT`) of TRADE events."""
    return TRADE_LAYOUT.encode(
        {
            "market_id": trades["market_id"],
            "trade_id": trades["trade_id"],
            "sequence": trades["sequence"],
            "time_us": trades["time_us"],
            "price_ticks": trades["price_ticks"],
            "quantity_lots": trades["trade_lots"],
            "aggressor_side": Side.BUY + Side.SELL - trades["side"].astype(np.int16),
            "maker_order_id": trades["order_id"],
            "taker_order_id": trades["related_order_id"],
            "maker_user_id": trades["user_id"],
            "taker_user_id": trades["related_user_id"],
        }
    )


def change_arrays(images: RecordArray) -> list[list[int]]:
    """Return what may change in orders, a list for each of `CHANGE_COLUMNS`."""
    return [images[_RENAMED.get(column, column)].tolist() for column in CHANGE_COLUMNS]


def order_payload(images: RecordArray) -> bytes:
    """Return the COPY payload (`ORDER_LAYOUT`) of whole orders.

    A maker's image in a TRADE names the taker as related order; a row keeps only the first order
    that a refused duplicate names.
    """
    values: dict[str, npt.NDArray[np.generic]] = {
        column: images[_RENAMED.get(column, column)] for column in ORDER_LAYOUT.columns
    }
    values["flags"] = images["flags"] & Flag.POST_ONLY
    values["related_order_id"] = np.where(
        images["kind"] == EventKind.ORDER, images["related_order_id"], 0
    )
    values["client_order_id"] = printable(decode_client_order_ids(images))
    return ORDER_LAYOUT.encode(values)


def printable(text: npt.NDArray[np.bytes_]) -> npt.NDArray[np.bytes_]:
    """Replace bytes that a text column refuses (not ASCII, or zero inside) by question marks.

    The gateway lets none through, but one foreign record must not stop the writer.
    """
    raw = text.view(np.uint8).reshape(len(text), text.dtype.itemsize)
    foreign = raw > 0x7E
    if not foreign.any() and not ((raw[:, :-1] == 0) & (raw[:, 1:] != 0)).any():
        return text
    to_the_end = np.logical_or.accumulate((raw != 0)[:, ::-1], axis=1)[:, ::-1]
    cleaned = np.where(foreign | ((raw == 0) & to_the_end), np.uint8(ord("?")), raw)
    return np.ascontiguousarray(cleaned).view(text.dtype).reshape(len(text))
