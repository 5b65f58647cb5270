"""New events picked out of records: each once, joined, whatever is repeated or unreadable."""

from collections.abc import Callable

import numpy as np
import pytest

from actors.book import codec
from actors.book.codec import ItemLayout, encode_events
from actors.book.records import EVENT_DTYPE, RecordArray
from actors.log.fresh import FreshEvents
from actors.log.ports import LogRecord


def _events(first: int, last: int) -> RecordArray:
    events = np.zeros(last - first + 1, EVENT_DTYPE)
    events["sequence"] = np.arange(first, last + 1)
    return events


def _record(offset: int, first: int, last: int, *, market_id: int = 1) -> LogRecord:
    value = encode_events(
        market_id=market_id,
        first_sequence=first,
        last_sequence=last,
        first_offset=offset,
        next_offset=offset + 1,
        events=_events(first, last),
    )
    return LogRecord(offset, value)


def _sequences(events: RecordArray) -> list[int]:
    found: list[int] = events["sequence"].tolist()
    return found


def test_records_are_joined_in_their_order() -> None:
    joined = FreshEvents(1).of([_record(3, 1, 2), _record(4, 3, 3), _record(5, 4, 6)])
    assert _sequences(joined.events) == [1, 2, 3, 4, 5, 6]
    assert joined.records == [(3, 2), (4, 1), (5, 3)]


def test_what_comes_again_is_dropped_whole_or_in_part() -> None:
    fresh = FreshEvents(1)
    fresh.of([_record(0, 1, 2)])
    joined = fresh.of([_record(1, 1, 2), _record(2, 2, 4), _record(3, 3, 4), _record(4, 5, 5)])
    assert _sequences(joined.events) == [3, 4, 5]
    assert joined.records == [(2, 2), (4, 1)]


@pytest.mark.parametrize(
    "spoiled",
    [
        lambda value: b"",
        lambda value: value[:-1],
        lambda value: b"\0" + value[1:],
        lambda value: value[:4] + b"\xff" + value[5:],
        lambda value: value[:12] + b"\2" + value[13:],
    ],
    ids=["empty", "torn", "other magic", "newer version", "other market"],
)
def test_what_cannot_be_read_is_passed_over(spoiled: Callable[[bytes], bytes]) -> None:
    torn = LogRecord(1, spoiled(_record(1, 2, 2).value))
    joined = FreshEvents(1).of([_record(0, 1, 1), torn, _record(2, 3, 3)])
    assert _sequences(joined.events) == [1, 3]
    assert joined.records == [(0, 1), (2, 1)]


def test_records_of_an_older_version_are_lifted(monkeypatch: pytest.MonkeyPatch) -> None:
    narrow = np.dtype([("sequence", "<i8")])

    def lift(items: RecordArray) -> RecordArray:
        lifted = np.zeros(len(items), EVENT_DTYPE)
        lifted["sequence"] = items["sequence"]
        return lifted

    monkeypatch.setitem(codec.EVENT_LAYOUTS, 7, ItemLayout(narrow, lift))
    newest = _record(0, 1, 2).value
    header = bytearray(newest[: codec.EVENT_HEADER_DTYPE.itemsize])
    header[4:6] = (7).to_bytes(2, "little")
    header[6:8] = narrow.itemsize.to_bytes(2, "little")
    older = bytes(header) + np.arange(1, 3, dtype="<i8").tobytes()
    joined = FreshEvents(1).of([LogRecord(0, older), _record(1, 3, 3)])
    assert _sequences(joined.events) == [1, 2, 3]
