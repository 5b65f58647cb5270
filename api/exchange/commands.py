"""Commands of the log as the gateway makes them: 128 bytes each, packed in one go."""

import struct
from collections.abc import Sequence

import numpy as np

from actors.book.records import COMMAND_DTYPE, RecordArray
from actors.book.vocabulary import CommandKind, Flag

# The fields of COMMAND_DTYPE in order; the client order id as its zero-padded bytes.
_COMMAND = struct.Struct("<6B2x8q40s16x")
if _COMMAND.size != COMMAND_DTYPE.itemsize:
    raise ImportError("the packed command has another size than COMMAND_DTYPE")


def place(
    *,
    order_id: int,
    user_id: int,
    side: int,
    order_type: int,
    time_in_force: int,
    self_trade_prevention: int,
    post_only: bool,
    price_ticks: int,
    quantity_lots: int,
    quote_units: int,
    time_us: int,
    expires_us: int,
    client_order_id: bytes,
) -> bytes:
    """Return a PLACE command; its id is the order's."""
    return _COMMAND.pack(
        CommandKind.PLACE,
        side,
        order_type,
        time_in_force,
        self_trade_prevention,
        Flag.POST_ONLY if post_only else 0,
        order_id,
        order_id,
        user_id,
        price_ticks,
        quantity_lots,
        quote_units,
        time_us,
        expires_us,
        client_order_id,
    )


def change(
    kind: CommandKind,
    *,
    command_id: int,
    time_us: int,
    order_id: int = 0,
    user_id: int = 0,
    side: int = 0,
    price_ticks: int = 0,
    quantity_lots: int = 0,
) -> bytes:
    """Return any other command; fields that it does not have stay 0."""
    return _COMMAND.pack(
        kind, side, 0, 0, 0, 0,
        command_id, order_id, user_id, price_ticks, quantity_lots, 0, time_us, 0, b"",
    )  # fmt: skip


def records(packed: Sequence[bytes]) -> RecordArray:
    """Return packed commands as an array of `COMMAND_DTYPE`."""
    return np.frombuffer(packed[0] if len(packed) == 1 else b"".join(packed), COMMAND_DTYPE)
