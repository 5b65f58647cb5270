"""Commands of the log: 192 bytes each, packed in one go."""

import struct
from collections.abc import Sequence

import numpy as np

from actors.book.records import COMMAND_DTYPE, RecordArray
from actors.book.vocabulary import CommandKind

# The fields of COMMAND_DTYPE up to the client order id, as its zero-padded bytes; the others are 0.
COMMAND = struct.Struct("<6B2x8q40s80x")
if COMMAND.size != COMMAND_DTYPE.itemsize:
    raise ImportError("the packed command has another size than COMMAND_DTYPE")


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
    """Return any command but PLACE; fields that it does not have stay 0."""
    return COMMAND.pack(
        kind, side, 0, 0, 0, 0,
        command_id, order_id, user_id, price_ticks, quantity_lots, 0, time_us, 0, b"",
    )  # fmt: skip


def records(packed: Sequence[bytes]) -> RecordArray:
    """Return packed commands as an array of `COMMAND_DTYPE`."""
    return np.frombuffer(packed[0] if len(packed) == 1 else b"".join(packed), COMMAND_DTYPE)
