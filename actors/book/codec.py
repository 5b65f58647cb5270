"""Log records as bytes: a small versioned header and an array of fixed-width items.

A record holds commands or events of one market, written in the newest version and read in every
version of its table: a table says how a version lays its items out and how they are lifted to the
newest layout. Decoding never loops, and items of the newest version are a view of the record's
bytes, without a copy. A new layout adds its entry, and the one before gets the old layout's own
dtype and a lift (`actors/book/versions.py`); headers keep their layout.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from struct import Struct
from typing import Any

import numpy as np

from actors.book.records import COMMAND_DTYPE, EVENT_DTYPE, RecordArray
from actors.book.versions import COMMAND_1_DTYPE, EVENT_1_DTYPE, lifted_commands, lifted_events

COMMAND_MAGIC = 0x434B_5246  # b"FRKC"
EVENT_MAGIC = 0x454B_5246  # b"FRKE"
VERSION = 2

COMMAND_HEADER_DTYPE = np.dtype(
    [
        ("magic", "<u4"),
        ("version", "<u2"),
        ("item_bytes", "<u2"),
        ("count", "<u4"),
        ("market_id", "<u4"),
    ]
)
EVENT_HEADER_DTYPE = np.dtype(
    [
        ("magic", "<u4"),
        ("version", "<u2"),
        ("item_bytes", "<u2"),
        ("count", "<u4"),
        ("market_id", "<u4"),
        ("first_sequence", "<i8"),
        ("last_sequence", "<i8"),
        ("first_offset", "<i8"),
        ("next_offset", "<i8"),
        ("spare", "<i8", (2,)),
    ]
)
# The same headers in one step: a field of a numpy record costs more than all of them here.
_COMMAND_HEADER = Struct("<IHHII")
_EVENT_HEADER = Struct("<IHHIIqqqq16x")
if (_COMMAND_HEADER.size, _EVENT_HEADER.size) != (
    COMMAND_HEADER_DTYPE.itemsize,
    EVENT_HEADER_DTYPE.itemsize,
):
    raise ImportError("a packed header has another size than its layout")


class MalformedRecordError(ValueError):
    """A record's bytes are not what its topic may hold; the sentence says what differs."""


def _as_they_are(items: RecordArray) -> RecordArray:
    return items


@dataclass(frozen=True, slots=True)
class ItemLayout:
    """How one version lays out its items; `lift` makes them items of the newest version."""

    dtype: np.dtype[np.void]
    lift: Callable[[RecordArray], RecordArray] = _as_they_are


Layouts = Mapping[int, ItemLayout]
COMMAND_LAYOUTS: Layouts = {
    1: ItemLayout(COMMAND_1_DTYPE, lifted_commands),
    2: ItemLayout(COMMAND_DTYPE),
}
EVENT_LAYOUTS: Layouts = {1: ItemLayout(EVENT_1_DTYPE, lifted_events), 2: ItemLayout(EVENT_DTYPE)}


@dataclass(frozen=True, slots=True)
class EventRecord:
    """Decoded record of `orders.updated` or `trades.executed`.

    `first_sequence` to `last_sequence` (inclusive) is the range that the whole applied batch
    covers, `first_offset` to `next_offset` (half-open) its commands in `orders.new`.
    """

    market_id: int
    first_sequence: int
    last_sequence: int
    first_offset: int
    next_offset: int
    events: RecordArray


def encode_commands(market_id: int, commands: RecordArray) -> bytes:
    """Return the record of these commands (`COMMAND_DTYPE`, any length from 1)."""
    header = _COMMAND_HEADER.pack(
        COMMAND_MAGIC, VERSION, COMMAND_DTYPE.itemsize, len(commands), market_id
    )
    return header + commands.tobytes()


def decode_commands(
    market_id: int, value: bytes, *, layouts: Layouts = COMMAND_LAYOUTS
) -> RecordArray:
    """Return a record's commands (`COMMAND_DTYPE`), a read-only view where none is lifted.

    Raises MalformedRecordError, also for a version that `layouts` does not have.
    """
    (found_id,), commands = taken_apart(
        value, header=_COMMAND_HEADER, magic=COMMAND_MAGIC, layouts=layouts
    )
    if found_id != market_id:
        raise MalformedRecordError(f"record of market {found_id} in the log of {market_id}")
    return commands


def encode_events(
    *,
    market_id: int,
    first_sequence: int,
    last_sequence: int,
    first_offset: int,
    next_offset: int,
    events: RecordArray,
) -> bytes:
    """Return the record of these events (`EVENT_DTYPE`)."""
    header = _EVENT_HEADER.pack(
        EVENT_MAGIC,
        VERSION,
        EVENT_DTYPE.itemsize,
        len(events),
        market_id,
        first_sequence,
        last_sequence,
        first_offset,
        next_offset,
    )
    return header + events.tobytes()


def decode_events(value: bytes, *, layouts: Layouts = EVENT_LAYOUTS) -> EventRecord:
    """Return a record, its events (`EVENT_DTYPE`) a read-only view where none is lifted.

    Raises MalformedRecordError, also for a version that `layouts` does not have.
    """
    told, events = taken_apart(value, header=_EVENT_HEADER, magic=EVENT_MAGIC, layouts=layouts)
    market_id, first_sequence, last_sequence, first_offset, next_offset = told
    return EventRecord(
        market_id=market_id,
        first_sequence=first_sequence,
        last_sequence=last_sequence,
        first_offset=first_offset,
        next_offset=next_offset,
        events=events,
    )


def packed_events(value: bytes) -> tuple[int, int, int, bytes] | None:
    """Return a record's market id, first and last sequence, and its items as they lie in it.

    None where it is not a whole record of the newest version: `decode_events` tells why, or lifts
    it, for five times as much.
    """
    if len(value) < _EVENT_HEADER.size:
        return None
    magic, version, item_bytes, count, market_id, first, last, *_ = _EVENT_HEADER.unpack_from(value)
    if (
        magic != EVENT_MAGIC
        or version != VERSION
        or item_bytes != EVENT_DTYPE.itemsize
        or len(value) != _EVENT_HEADER.size + count * item_bytes
    ):
        return None
    return market_id, first, last, value[_EVENT_HEADER.size :]


def taken_apart(
    value: bytes, *, header: Struct, magic: int, layouts: Layouts
) -> tuple[list[Any], RecordArray]:
    """Return a record's header behind its count, and its items in the newest layout.

    Every header begins with magic, version, bytes of an item and count.

    Raises MalformedRecordError.
    """
    if len(value) < header.size:
        raise MalformedRecordError(f"record of {len(value)} bytes is shorter than its header")
    found_magic, version, item_bytes, count, *told = header.unpack_from(value)
    if found_magic != magic:
        raise MalformedRecordError("record does not start with the magic of its topic")
    layout = layouts.get(version)
    if layout is None:
        known = ", ".join(map(str, sorted(layouts)))
        raise MalformedRecordError(f"record has version {version}, this build reads {known}")
    if item_bytes != layout.dtype.itemsize:
        raise MalformedRecordError(
            f"record has items of {item_bytes} bytes, version {version} has {layout.dtype.itemsize}"
        )
    if len(value) != header.size + count * item_bytes:
        raise MalformedRecordError("record's length does not match its count")
    items = np.frombuffer(value, layout.dtype, offset=header.size)
    return told, layout.lift(items)
