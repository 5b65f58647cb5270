"""Log records as bytes: a small versioned header and an array of fixed-width items.

A record holds commands or events of one market. Decoding never copies and never loops: the items
are a view of the record's bytes.
"""

from dataclasses import dataclass

import numpy as np

from actors.book.records import COMMAND_DTYPE, EVENT_DTYPE, RecordArray

COMMAND_MAGIC = 0x434B_5246  # b"FRKC"
EVENT_MAGIC = 0x454B_5246  # b"FRKE"
VERSION = 1

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


class MalformedRecordError(ValueError):
    """A record's bytes are not what its topic may hold; the sentence says what differs."""


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
    header = np.zeros(1, COMMAND_HEADER_DTYPE)
    header["magic"] = COMMAND_MAGIC
    header["version"] = VERSION
    header["item_bytes"] = COMMAND_DTYPE.itemsize
    header["count"] = len(commands)
    header["market_id"] = market_id
    return header.tobytes() + commands.tobytes()


def decode_commands(market_id: int, value: bytes) -> RecordArray:
    """Return the commands of a record as a read-only view. Raises MalformedRecordError."""
    header = _header(value, COMMAND_HEADER_DTYPE, COMMAND_MAGIC, COMMAND_DTYPE)
    if int(header["market_id"]) != market_id:
        raise MalformedRecordError(
            f"record of market {header['market_id']} in the log of {market_id}"
        )
    return np.frombuffer(value, COMMAND_DTYPE, offset=COMMAND_HEADER_DTYPE.itemsize)


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
    header = np.zeros(1, EVENT_HEADER_DTYPE)
    header["magic"] = EVENT_MAGIC
    header["version"] = VERSION
    header["item_bytes"] = EVENT_DTYPE.itemsize
    header["count"] = len(events)
    header["market_id"] = market_id
    header["first_sequence"] = first_sequence
    header["last_sequence"] = last_sequence
    header["first_offset"] = first_offset
    header["next_offset"] = next_offset
    return header.tobytes() + events.tobytes()


def decode_events(value: bytes) -> EventRecord:
    """Return the decoded record, its events a read-only view. Raises MalformedRecordError."""
    header = _header(value, EVENT_HEADER_DTYPE, EVENT_MAGIC, EVENT_DTYPE)
    return EventRecord(
        market_id=int(header["market_id"]),
        first_sequence=int(header["first_sequence"]),
        last_sequence=int(header["last_sequence"]),
        first_offset=int(header["first_offset"]),
        next_offset=int(header["next_offset"]),
        events=np.frombuffer(value, EVENT_DTYPE, offset=EVENT_HEADER_DTYPE.itemsize),
    )


def _header(
    value: bytes, layout: np.dtype[np.void], magic: int, item: np.dtype[np.void]
) -> np.void:
    if len(value) < layout.itemsize:
        raise MalformedRecordError(f"record of {len(value)} bytes is shorter than its header")
    header: np.void = np.frombuffer(value, layout, count=1)[0]
    if int(header["magic"]) != magic:
        raise MalformedRecordError("record does not start with the magic of its topic")
    if int(header["version"]) != VERSION or int(header["item_bytes"]) != item.itemsize:
        raise MalformedRecordError(
            f"record has version {header['version']} with items of {header['item_bytes']} bytes, "
            f"this build reads version {VERSION} with {item.itemsize}"
        )
    if len(value) != layout.itemsize + int(header["count"]) * item.itemsize:
        raise MalformedRecordError("record's length does not match its count")
    return header
