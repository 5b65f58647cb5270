"""Records of an older version are lifted to the newest; those of a newer one are refused."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest

from actors.book.codec import (
    COMMAND_HEADER_DTYPE,
    COMMAND_LAYOUTS,
    EVENT_HEADER_DTYPE,
    EVENT_LAYOUTS,
    ItemLayout,
    Layouts,
    MalformedRecordError,
    decode_commands,
    decode_events,
    encode_commands,
    encode_events,
)
from actors.book.compiled import CompiledBook
from actors.book.records import COMMAND_DTYPE, EVENT_DTYPE, RecordArray
from tests.property.streams import ARENAS, stream

OLDER, NEWER = 77, 300
ARENA = ARENAS["crowded"]


def without(layout: np.dtype[np.void], *names: str) -> np.dtype[np.void]:
    """Return a made-up older layout: packed, and lacking some of the newest one's fields."""
    fields: Mapping[str, tuple[Any, ...]] = layout.fields or {}
    return np.dtype([(name, fields[name][0]) for name in fields if name not in names])


def widened(layout: np.dtype[np.void], items: RecordArray) -> RecordArray:
    """Return items of an older layout in the newest, zero where the older has no field."""
    lifted = np.zeros(len(items), layout)
    for name in items.dtype.names or ():
        lifted[name] = items[name]
    return lifted


OLDER_COMMAND = without(COMMAND_DTYPE, "spare", "key_id", "client_order_id")
OLDER_EVENT = without(EVENT_DTYPE, "spare", "client_order_id")
COMMANDS: Layouts = {
    **COMMAND_LAYOUTS,
    OLDER: ItemLayout(OLDER_COMMAND, lambda items: widened(COMMAND_DTYPE, items)),
}
EVENTS: Layouts = {
    **EVENT_LAYOUTS,
    OLDER: ItemLayout(OLDER_EVENT, lambda items: widened(EVENT_DTYPE, items)),
}


def in_older_layout(
    record: bytes, header_layout: np.dtype[np.void], older: np.dtype[np.void]
) -> bytes:
    """Return a record as a build that knew the older layout alone would have written it."""
    header = np.frombuffer(record, header_layout, count=1).copy()
    header["version"], header["item_bytes"] = OLDER, older.itemsize
    newest = COMMAND_DTYPE if header_layout == COMMAND_HEADER_DTYPE else EVENT_DTYPE
    items = np.frombuffer(record, newest, offset=header_layout.itemsize)
    rows = np.zeros(len(items), older)
    for name in older.names or ():
        rows[name] = items[name]
    return header.tobytes() + rows.tobytes()


def of_version(record: bytes, version: int) -> bytes:
    return record[:4] + version.to_bytes(2, "little") + record[6:]


@pytest.fixture(scope="module")
def commands() -> RecordArray:
    rows = stream(ARENA, seed=5, count=2_000)
    rows["client_order_id"] = 0
    return rows


@pytest.fixture(scope="module")
def event_record(commands: RecordArray) -> bytes:
    events = CompiledBook(ARENA.market).apply(commands).events
    return encode_events(
        market_id=7,
        first_sequence=1,
        last_sequence=len(events),
        first_offset=0,
        next_offset=2,
        events=events,
    )


def test_commands_of_an_older_version_make_the_same_book(commands: RecordArray) -> None:
    newest = encode_commands(7, commands)
    older = in_older_layout(newest, COMMAND_HEADER_DTYPE, OLDER_COMMAND)
    assert len(older) < len(newest)
    lifted = decode_commands(7, older, layouts=COMMANDS)
    assert lifted.dtype == COMMAND_DTYPE
    expected = CompiledBook(ARENA.market).apply(decode_commands(7, newest)).events
    assert CompiledBook(ARENA.market).apply(lifted).events.tobytes() == expected.tobytes()


def test_events_of_an_older_version_are_read_as_those_of_the_newest(event_record: bytes) -> None:
    older = in_older_layout(event_record, EVENT_HEADER_DTYPE, OLDER_EVENT)
    lifted, newest = decode_events(older, layouts=EVENTS), decode_events(event_record)
    assert lifted.events.dtype == EVENT_DTYPE
    assert lifted.events.tobytes() == newest.events.tobytes()
    assert (lifted.first_sequence, lifted.last_sequence) == (1, newest.last_sequence)
    assert (lifted.market_id, lifted.first_offset, lifted.next_offset) == (7, 0, 2)


def test_items_of_the_newest_version_are_a_view_of_the_record(
    commands: RecordArray, event_record: bytes
) -> None:
    record = encode_commands(7, commands)
    for value, items in (
        (record, decode_commands(7, record, layouts=COMMANDS)),
        (event_record, decode_events(event_record, layouts=EVENTS).events),
    ):
        assert np.shares_memory(items, np.frombuffer(value, np.uint8))


def test_records_of_a_newer_version_are_refused_in_one_line(
    commands: RecordArray, event_record: bytes
) -> None:
    record = encode_commands(7, commands)
    with pytest.raises(
        MalformedRecordError, match=r"^record has version 300, this build reads 1, 2$"
    ):
        decode_commands(7, of_version(record, NEWER))
    with pytest.raises(MalformedRecordError, match=r"^record has version 300, .* reads 1, 2, 77$"):
        decode_events(of_version(event_record, NEWER), layouts=EVENTS)


def test_a_record_whose_items_are_not_of_its_version_is_malformed(commands: RecordArray) -> None:
    record = encode_commands(7, commands)
    with pytest.raises(MalformedRecordError, match=r"items of 192 bytes, version 77 has 128"):
        decode_commands(7, of_version(record, OLDER), layouts=COMMANDS)
