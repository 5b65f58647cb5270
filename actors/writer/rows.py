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
CHANGE_LAYOUT = CopyLayout(_ORDER_KEY | _ORDER_STATE)
ORDER_LAYOUT = CopyLayout(_ORDER_KEY | _ORDER_STATE | _ORDER_ORIGIN, text="client_order_id")

ORDER_KEY = tuple(_ORDER_KEY)
ORDER_STATE = tuple(_ORDER_STATE)
ORDER_REST = (*_ORDER_ORIGIN, "client_order_id")

_RENAMED = {"updated_us": "time_us"}


@dataclass(frozen=True, slots=True)
class Rows:
    """What a batch of events comes to: trades, orders first seen in it, changes of older ones.

    `trades` are the TRADE events as they are; `inserts` and `changes` are last images, in order
    of first sight of their id.
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
    images = events[trade | (kind == EventKind.ORDER)]
    if len(images) == 0:
        return Rows(trades=images, inserts=images, changes=images)
    market_id, order_id = images["market_id"], images["order_id"]
    by_order = np.lexsort((market_id, order_id))
    first = np.empty(len(images), np.bool_)
    first[0] = True
    first[1:] = np.diff(order_id[by_order]) != 0
    first[1:] |= np.diff(market_id[by_order]) != 0
    starts = np.flatnonzero(first)
    ends = np.append(starts[1:], len(images)) - 1
    is_new = np.logical_or.reduceat((images["flags"] & Flag.NEW)[by_order] != 0, starts)
    last = images[by_order[ends]]
    return Rows(trades=events[trade], inserts=last[is_new], changes=last[~is_new])


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


def change_payload(images: RecordArray) -> bytes:
    """Return the COPY payload (`CHANGE_LAYOUT`) of what may change in an order."""
    return CHANGE_LAYOUT.encode(
        {column: images[_RENAMED.get(column, column)] for column in CHANGE_LAYOUT.columns}
    )


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
