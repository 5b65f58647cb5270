"""Fixed-width records of the log: commands in, events and changed levels out.

All fields are little-endian; a change of layout is a new version in the codec's header.
Prices are ticks, quantities lots, times microseconds since the Unix epoch. Amounts of the quote
asset are ticks x lots, the price of one lot at one tick being 1; `quote_units` is such an amount
too, whatever its name says: a unit is 1e-8 of an asset, which the core does not know. Fee rates
are in millionths (ppm) of what is received. `shard` and `generation` stamp a command with who let
it through: the shard that keeps the user's account, and since when that shard writes.

`trigger_ticks`, `display_lots`, `list_id`, `trail_bps`, `trigger` and `leg` are room for orders
that wait, `key_id` for the key that an order was sent with.
"""

from collections.abc import Iterable
from typing import Any

import numpy as np
import numpy.typing as npt

RecordArray = npt.NDArray[Any]

CLIENT_ORDER_ID_CHARACTERS = 36
CLIENT_ORDER_ID_BYTES = 40
CLIENT_ORDER_ID_WORDS = CLIENT_ORDER_ID_BYTES // 8

COMMAND_DTYPE = np.dtype(
    [
        ("kind", "u1"),
        ("side", "u1"),
        ("order_type", "u1"),
        ("time_in_force", "u1"),
        ("self_trade_prevention", "u1"),
        ("flags", "u1"),
        ("shard", "<u2"),
        ("command_id", "<i8"),
        ("order_id", "<i8"),
        ("user_id", "<i8"),
        ("price_ticks", "<i8"),
        ("quantity_lots", "<i8"),
        ("quote_units", "<i8"),
        ("time_us", "<i8"),
        ("expires_us", "<i8"),
        ("client_order_id", "<i8", (CLIENT_ORDER_ID_WORDS,)),
        ("budget", "<i8"),
        ("trigger_ticks", "<i8"),
        ("display_lots", "<i8"),
        ("list_id", "<i8"),
        ("key_id", "<i8"),
        ("generation", "<i8"),
        ("maker_fee", "<i4"),
        ("taker_fee", "<i4"),
        ("trail_bps", "<u4"),
        ("trigger", "u1"),
        ("leg", "u1"),
        ("reserved", "<u2"),
        ("spare", "<i8", (2,)),
    ]
)

EVENT_DTYPE = np.dtype(
    [
        ("kind", "u1"),
        ("status", "u1"),
        ("side", "u1"),
        ("order_type", "u1"),
        ("time_in_force", "u1"),
        ("self_trade_prevention", "u1"),
        ("flags", "u1"),
        ("reserved", "u1"),
        ("reason", "<u4"),
        ("market_id", "<u4"),
        ("sequence", "<i8"),
        ("time_us", "<i8"),
        ("order_id", "<i8"),
        ("user_id", "<i8"),
        ("price_ticks", "<i8"),
        ("quantity_lots", "<i8"),
        ("filled_lots", "<i8"),
        ("notional", "<i8"),
        ("expires_us", "<i8"),
        ("quote_units", "<i8"),
        ("created_us", "<i8"),
        ("command_id", "<i8"),
        ("trade_id", "<i8"),
        ("trade_lots", "<i8"),
        ("related_order_id", "<i8"),
        ("related_user_id", "<i8"),
        ("client_order_id", "<i8", (CLIENT_ORDER_ID_WORDS,)),
        ("budget", "<i8"),
        ("trigger_ticks", "<i8"),
        ("display_lots", "<i8"),
        ("list_id", "<i8"),
        ("generation", "<i8"),
        ("maker_fee", "<i4"),
        ("taker_fee", "<i4"),
        ("trail_bps", "<u4"),
        ("trigger", "u1"),
        ("leg", "u1"),
        ("shard", "<u2"),
        ("related_fee", "<i4"),
        ("reserved2", "<u4"),
        ("spare", "<i8"),
    ]
)

LEVEL_DTYPE = np.dtype(
    [
        ("side", "<i8"),
        ("price_ticks", "<i8"),
        ("quantity_lots", "<i8"),
        ("filled_lots", "<i8"),
        ("order_count", "<i8"),
    ]
)


def joined(parts: Iterable[RecordArray], dtype: np.dtype[np.void]) -> RecordArray:
    """Return the items of arrays of one layout, one after the other, in an array of their own.

    They are joined as bytes: `np.concatenate` asks for the common type of each piece, which costs
    30 us where records have many fields.
    """
    return np.frombuffer(bytearray().join([part.data for part in parts]), dtype)


def encode_client_order_id(text: str) -> npt.NDArray[np.int64]:
    """Pack an ASCII client order id of at most 36 characters into five zero-padded words.

    Raises ValueError for a text that is too long or not ASCII.
    """
    raw = text.encode("ascii")
    if len(raw) > CLIENT_ORDER_ID_CHARACTERS:
        raise ValueError(f"client order id has {len(raw)} characters, at most 36 are allowed")
    return np.frombuffer(raw.ljust(CLIENT_ORDER_ID_BYTES, b"\0"), dtype="<i8")


def decode_client_order_id(words: npt.NDArray[np.int64]) -> str:
    """Unpack what `encode_client_order_id` packed; five zero words are the empty text."""
    return np.ascontiguousarray(words).tobytes().rstrip(b"\0").decode("ascii")


def decode_client_order_ids(records: RecordArray) -> npt.NDArray[np.bytes_]:
    """Return the client order ids of many commands or events as an `S40` array."""
    words = np.ascontiguousarray(records["client_order_id"])
    return words.view(f"S{CLIENT_ORDER_ID_BYTES}").reshape(len(records))
