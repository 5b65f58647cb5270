"""How applied ranges become records of the events' topics."""

from itertools import pairwise

import numpy as np
import pytest

from actors.book.codec import EventRecord, decode_events
from actors.book.records import EVENT_DTYPE
from actors.book.vocabulary import EventKind
from actors.log.tail import events_after
from actors.pair.messages import RangeApplied
from actors.router.records import EVENTS_PER_RECORD, RECORD_BYTES, EventBatch, join


def batch(count: int, *, first_sequence: int = 1) -> EventBatch:
    """Return a batch in which every third event is a trade."""
    events = np.zeros(count, EVENT_DTYPE)
    events["sequence"] = np.arange(count) + first_sequence
    events["kind"] = np.where(np.arange(count) % 3 == 0, EventKind.TRADE, EventKind.ORDER)
    return EventBatch(
        market_id=5,
        first_sequence=first_sequence,
        last_sequence=first_sequence + count - 1,
        first_offset=70,
        next_offset=80,
        events=events,
    )


def decoded(one: EventBatch) -> list[EventRecord]:
    return [decode_events(value) for value in one.encode()]


def test_a_batch_that_fits_is_one_record_with_the_whole_range() -> None:
    (record,) = decoded(batch(10, first_sequence=41))
    assert (record.first_sequence, record.last_sequence) == (41, 50)
    assert (record.first_offset, record.next_offset) == (70, 80)
    assert len(record.events) == 10


def test_a_batch_without_events_makes_no_record() -> None:
    assert decoded(batch(0)) == []


def test_a_position_says_that_commands_without_events_are_accounted_for() -> None:
    record = decode_events(batch(0, first_sequence=41).encode_position())
    assert (record.first_sequence, record.last_sequence) == (41, 40)
    assert (record.first_offset, record.next_offset) == (70, 80)
    assert len(events_after(record, 12)) == 0


@pytest.mark.parametrize("trades_only", [False, True])
def test_parts_of_a_batch_run_on_and_only_the_last_completes_its_offsets(
    trades_only: bool,
) -> None:
    whole = batch(EVENTS_PER_RECORD * 7 + 5, first_sequence=11)
    one = whole.trades() if trades_only else whole
    records = decoded(one)
    assert len(records) > 2
    assert records[0].first_sequence == 11
    assert records[-1].last_sequence == whole.last_sequence
    for before, after in pairwise(records):
        assert after.first_sequence == before.last_sequence + 1
    assert {record.next_offset for record in records[:-1]} == {70}
    assert records[-1].next_offset == 80
    assert np.concatenate([record.events for record in records]).tobytes() == one.events.tobytes()
    assert max(len(value) for value in one.encode()) <= RECORD_BYTES


def test_what_was_published_is_cut_off_a_batch() -> None:
    whole = batch(10, first_sequence=41)
    assert whole.after(40) is whole
    rest = whole.after(44)
    assert (rest.first_sequence, rest.last_sequence) == (45, 50)
    assert rest.events["sequence"].tolist() == [45, 46, 47, 48, 49, 50]
    assert len(whole.after(50).events) == 0


def test_a_consumer_takes_of_a_repeated_record_only_what_is_new() -> None:
    (record,) = decoded(batch(10, first_sequence=41))
    assert events_after(record, 47)["sequence"].tolist() == [48, 49, 50]
    assert len(events_after(record, 99)) == 0
    assert len(events_after(record, 3)) == 10


def test_neighbouring_ranges_are_joined_in_order() -> None:
    parts = [batch(4, first_sequence=1), batch(3, first_sequence=5)]
    applied = [
        RangeApplied(
            next_offset=offset,
            first_sequence=part.first_sequence,
            last_sequence=part.last_sequence,
            previous_update_id=0,
            last_update_id=0,
            next_expiry_us=0,
            commands=1,
            repeated=False,
            events=part.events.tobytes(),
            levels=b"",
        )
        for offset, part in zip((3, 9), parts, strict=True)
    ]
    joined = join(5, 2, applied)
    assert (joined.first_offset, joined.next_offset) == (2, 9)
    assert (joined.first_sequence, joined.last_sequence) == (1, 7)
    assert joined.events["sequence"].tolist() == [1, 2, 3, 4, 5, 6, 7]
