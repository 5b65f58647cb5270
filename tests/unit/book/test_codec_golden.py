"""The log's bytes, pinned: a change here is a new version of the format, or a lost log."""

import numpy as np
import pytest

from actors.book.codec import (
    COMMAND_HEADER_DTYPE,
    MalformedRecordError,
    decode_commands,
    decode_events,
    encode_commands,
    encode_events,
)
from actors.book.records import (
    COMMAND_DTYPE,
    EVENT_DTYPE,
    LEVEL_DTYPE,
    RecordArray,
    decode_client_order_id,
    encode_client_order_id,
)
from actors.book.versions import COMMAND_1_DTYPE, EVENT_1_DTYPE
from tests.beds.layouts import digest_of

VERSION_1_COMMAND_HEX = (
    "46524b43 0100 8000 01000000 07000000"
    "01 02 01 04 03 01 0000"
    "0102030405060708 1112131415161718 2122232425262728 3132333435363738 4142434445464748"
    "5152535455565758 6162636465666768 7172737475767778"
    "67726565747a6500 0000000000000000 0000000000000000 0000000000000000 0000000000000000"
    "0000000000000000 0000000000000000"
)
COMMAND_HEX = (
    "46524b43 0200 c000 01000000 07000000"
    "01 02 01 04 03 01 0d0c"
    "0102030405060708 1112131415161718 2122232425262728 3132333435363738 4142434445464748"
    "5152535455565758 6162636465666768 7172737475767778"
    "67726565747a6500 0000000000000000 0000000000000000 0000000000000000 0000000000000000"
    "0100000000000000 0200000000000000 0300000000000000 0400000000000000 0500000000000000"
    "0600000000000000 07000000 08000000 09000000 0a 0b 0000"
    "0000000000000000 0000000000000000"
)
VERSION_1_EVENT_HEX = (
    "46524b45 0100 c000 01000000 07000000"
    "0900000000000000 0a00000000000000 0300000000000000 0400000000000000"
    "0000000000000000 0000000000000000"
    "02 04 01 01 03 02 07 00 95010000 07000000"
    "0100000000000000 0200000000000000 0300000000000000 0400000000000000 0500000000000000"
    "0600000000000000 0700000000000000 0800000000000000 0900000000000000 0a00000000000000"
    "0b00000000000000 0c00000000000000 0d00000000000000 0e00000000000000 0f00000000000000"
    "1000000000000000"
    "6100000000000000 0000000000000000 0000000000000000 0000000000000000 0000000000000000"
    "0000000000000000"
)
EVENT_HEX = (
    "46524b45 0200 0001 01000000 07000000"
    "0900000000000000 0a00000000000000 0300000000000000 0400000000000000"
    "0000000000000000 0000000000000000"
    "02 04 01 01 03 02 07 00 95010000 07000000"
    "0100000000000000 0200000000000000 0300000000000000 0400000000000000 0500000000000000"
    "0600000000000000 0700000000000000 0800000000000000 0900000000000000 0a00000000000000"
    "0b00000000000000 0c00000000000000 0d00000000000000 0e00000000000000 0f00000000000000"
    "1000000000000000"
    "6100000000000000 0000000000000000 0000000000000000 0000000000000000 0000000000000000"
    "0100000000000000 0200000000000000 0300000000000000 0400000000000000 0500000000000000"
    "06000000 07000000 08000000 09 0a 0b00 0c000000 00000000 0000000000000000"
)
LATER_IN_COMMANDS = (
    *("budget", "trigger_ticks", "display_lots", "list_id", "key_id", "generation"),
    *("maker_fee", "taker_fee", "trail_bps", "trigger", "leg"),
)
LATER_IN_EVENTS = (
    *("budget", "trigger_ticks", "display_lots", "list_id", "generation", "maker_fee"),
    *("taker_fee", "trail_bps", "trigger", "leg", "shard", "related_fee"),
)


def command_of_version_1() -> RecordArray:
    row = np.zeros(1, COMMAND_DTYPE)
    small = ["kind", "side", "order_type", "time_in_force", "self_trade_prevention", "flags"]
    row[small] = [(1, 2, 1, 4, 3, 1)]
    words = ["command_id", "order_id", "user_id", "price_ticks", "quantity_lots", "quote_units"]
    for index, name in enumerate([*words, "time_us", "expires_us"]):
        row[name] = int.from_bytes(bytes(range(1 + 16 * index, 9 + 16 * index)), "little")
    row["client_order_id"] = encode_client_order_id("greetze")
    return row


def command() -> RecordArray:
    row = command_of_version_1()
    row["shard"] = 0x0C0D
    for value, name in enumerate(LATER_IN_COMMANDS, 1):
        row[name] = value
    return row


def event_of_version_1() -> RecordArray:
    row = np.zeros(1, EVENT_DTYPE)
    names = EVENT_DTYPE.names or ()
    for name, value in zip(names, (2, 4, 1, 1, 3, 2, 7, 0, 405, 7, *range(1, 17)), strict=False):
        row[name] = value
    row["client_order_id"] = encode_client_order_id("a")
    return row


def event() -> RecordArray:
    row = event_of_version_1()
    for value, name in enumerate(LATER_IN_EVENTS, 1):
        row[name] = value
    return row


def encoded_event() -> bytes:
    return encode_events(
        market_id=7,
        first_sequence=9,
        last_sequence=10,
        first_offset=3,
        next_offset=4,
        events=event(),
    )


def test_the_bytes_of_a_command_record_are_pinned() -> None:
    assert encode_commands(7, command()).hex() == COMMAND_HEX.replace(" ", "")
    decoded = decode_commands(7, bytes.fromhex(COMMAND_HEX))
    assert decoded.tobytes() == command().tobytes()
    assert decode_client_order_id(decoded["client_order_id"][0]) == "greetze"


def test_the_bytes_of_an_event_record_are_pinned() -> None:
    assert encoded_event().hex() == EVENT_HEX.replace(" ", "")
    decoded = decode_events(bytes.fromhex(EVENT_HEX))
    assert decoded.events.tobytes() == event().tobytes()
    assert (decoded.market_id, decoded.first_sequence, decoded.last_sequence) == (7, 9, 10)
    assert (decoded.first_offset, decoded.next_offset) == (3, 4)


def test_records_of_version_1_are_read_with_what_came_later_at_nothing() -> None:
    commands = decode_commands(7, bytes.fromhex(VERSION_1_COMMAND_HEX))
    assert commands.tobytes() == command_of_version_1().tobytes()
    decoded = decode_events(bytes.fromhex(VERSION_1_EVENT_HEX))
    assert decoded.events.tobytes() == event_of_version_1().tobytes()
    assert (decoded.market_id, decoded.first_sequence, decoded.last_sequence) == (7, 9, 10)


def test_what_version_1_left_unused_names_no_shard_and_no_budget() -> None:
    record = bytearray.fromhex(VERSION_1_COMMAND_HEX)
    header = COMMAND_HEADER_DTYPE.itemsize
    record[header + 6 : header + 8] = b"\xff\xff"
    record[-16:] = b"\xff" * 16
    assert decode_commands(7, bytes(record)).tobytes() == command_of_version_1().tobytes()


@pytest.mark.parametrize(
    ("layout", "digest"),
    [
        (COMMAND_DTYPE, "4def0fa8682cf318"),
        (EVENT_DTYPE, "7b75e128f2c27cc4"),
        (COMMAND_1_DTYPE, "06660bef687066a6"),
        (EVENT_1_DTYPE, "29e11058001401a0"),
        (LEVEL_DTYPE, "491c9c666fc19b04"),
    ],
    ids=["commands", "events", "commands of version 1", "events of version 1", "levels"],
)
def test_names_types_and_places_of_all_fields_are_pinned(
    layout: np.dtype[np.void], digest: str
) -> None:
    assert digest_of(layout) == digest


@pytest.mark.parametrize("cut", [0, 3, 15, 16, 100, -1])
def test_a_record_of_the_wrong_length_is_malformed(cut: int) -> None:
    with pytest.raises(MalformedRecordError):
        decode_commands(7, encode_commands(7, command())[:cut])
    with pytest.raises(MalformedRecordError):
        decode_events(encoded_event()[:cut])


@pytest.mark.parametrize("place", [0, 4, 6, 8, 12])
def test_a_command_record_with_a_wrong_header_is_malformed(place: int) -> None:
    changed = bytearray(encode_commands(7, command()))
    changed[place] ^= 0x40
    with pytest.raises(MalformedRecordError):
        decode_commands(7, bytes(changed))


def test_the_records_of_one_topic_are_malformed_in_the_other() -> None:
    with pytest.raises(MalformedRecordError):
        decode_commands(7, encoded_event())
    with pytest.raises(MalformedRecordError):
        decode_events(encode_commands(7, command()))
