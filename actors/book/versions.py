"""Older layouts of the log's items, and how they are lifted to the newest.

Version 1 has the newest layout's first words at the same places and nothing where the newest has
`budget` and what follows, so those stay 0. What was spare or reserved in it is not taken over.
"""

import numpy as np

from actors.book.records import (
    CLIENT_ORDER_ID_WORDS,
    COMMAND_DTYPE,
    EVENT_DTYPE,
    RecordArray,
)

_WORD = np.dtype("<i8")
_COMMAND_WORDS, _EVENT_WORDS = 14, 23  # of version 1, up to its client order id

COMMAND_1_DTYPE = np.dtype(
    [
        ("kind", "u1"),
        ("side", "u1"),
        ("order_type", "u1"),
        ("time_in_force", "u1"),
        ("self_trade_prevention", "u1"),
        ("flags", "u1"),
        ("reserved", "<u2"),
        ("command_id", "<i8"),
        ("order_id", "<i8"),
        ("user_id", "<i8"),
        ("price_ticks", "<i8"),
        ("quantity_lots", "<i8"),
        ("quote_units", "<i8"),
        ("time_us", "<i8"),
        ("expires_us", "<i8"),
        ("client_order_id", "<i8", (CLIENT_ORDER_ID_WORDS,)),
        ("spare", "<i8", (2,)),
    ]
)

EVENT_1_DTYPE = np.dtype(
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
        ("spare", "<i8"),
    ]
)


def lifted_commands(items: RecordArray) -> RecordArray:
    """Return commands of version 1 (`COMMAND_1_DTYPE`) as `COMMAND_DTYPE`, in memory of their own.

    They name no shard, whatever stood in the bytes that were reserved for one.
    """
    commands = _widened(items, COMMAND_DTYPE, _COMMAND_WORDS)
    commands["shard"] = 0
    return commands


def lifted_events(items: RecordArray) -> RecordArray:
    """Return events of version 1 (`EVENT_1_DTYPE`) as `EVENT_DTYPE`, in memory of their own."""
    return _widened(items, EVENT_DTYPE, _EVENT_WORDS)


def _widened(items: RecordArray, newest: np.dtype[np.void], same_words: int) -> RecordArray:
    wide = np.zeros(len(items), newest)
    into = wide.view(_WORD).reshape(len(items), newest.itemsize // _WORD.itemsize)
    words = items.view(_WORD).reshape(len(items), items.dtype.itemsize // _WORD.itemsize)
    into[:, :same_words] = words[:, :same_words]
    return wide
