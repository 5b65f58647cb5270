"""Events that are newer than the rows: the newest image of each order, within a bound."""

import numpy as np
import pytest

from actors.book.records import EVENT_DTYPE, RecordArray
from actors.book.vocabulary import EventKind, OrderStatus
from actors.follow.positions import MarketPosition
from actors.log.fresh import JoinedEvents
from api.exchange.recent import RecentEvents


def _events(*rows: tuple[int, int, OrderStatus], first: int, market_id: int = 1) -> RecordArray:
    """Return one ORDER event a row of (order id, user id, status)."""
    events = np.zeros(len(rows), EVENT_DTYPE)
    events["kind"] = EventKind.ORDER
    events["market_id"] = market_id
    events["sequence"] = np.arange(first, first + len(rows))
    for event, (order_id, user_id, status) in zip(events, rows, strict=True):
        event["order_id"], event["user_id"], event["status"] = order_id, user_id, status
    return events


def _keep(recent: RecentEvents, market_id: int, offset: int, events: RecordArray) -> None:
    """Let one record's events be kept."""
    recent.add(market_id, JoinedEvents(events, [(offset, len(events))]))


def _at(market_id: int, next_offset: int, last_sequence: int = 0) -> MarketPosition:
    return MarketPosition(market_id=market_id, next_offset=next_offset, last_sequence=last_sequence)


def test_the_newest_image_of_each_order_is_found_by_user_or_by_id() -> None:
    recent = RecentEvents([1, 2])
    _keep(recent, 1, 0, _events((7, 1, OrderStatus.OPEN), (8, 2, OrderStatus.OPEN), first=1))
    _keep(recent, 2, 0, _events((9, 1, OrderStatus.OPEN), first=1, market_id=2))
    _keep(recent, 1, 1, _events((7, 1, OrderStatus.FILLED), first=3))
    found = recent.images([1, 2], user_id=1)
    assert dict(zip(found["order_id"].tolist(), found["status"].tolist(), strict=True)) == {
        7: OrderStatus.FILLED,
        9: OrderStatus.OPEN,
    }
    assert sorted(recent.images([1])["order_id"].tolist()) == [7, 8]
    assert recent.image(7)["status"].tolist() == [OrderStatus.FILLED]
    assert len(recent.image(10)) == 0


def test_what_postgres_holds_is_dropped() -> None:
    recent = RecentEvents([1])
    _keep(recent, 1, 5, _events((7, 1, OrderStatus.OPEN), first=1))
    _keep(recent, 1, 6, _events((8, 1, OrderStatus.OPEN), first=2))
    recent.note_written([_at(1, 6), _at(99, 3)])
    assert recent.images([1])["order_id"].tolist() == [8]


def test_a_market_is_complete_once_all_before_its_first_record_is_written() -> None:
    recent = RecentEvents([1, 2])
    assert recent.is_complete([1, 2])
    recent.begin(1, 100)
    assert not recent.is_complete([1])
    assert recent.is_complete([2])
    recent.note_written([_at(1, 99)])
    assert not recent.is_complete([1, 2])
    recent.note_written([_at(1, 100)])
    assert recent.is_complete([1, 2])


def test_beyond_the_bound_the_oldest_go_and_the_writer_has_to_be_waited_for() -> None:
    recent = RecentEvents([1], events_max=3)
    for offset in range(4):
        _keep(recent, 1, offset, _events((offset, 1, OrderStatus.OPEN), first=offset + 1))
    assert recent.images([1])["order_id"].tolist() == [1, 2, 3]
    assert not recent.is_complete([1])
    recent.note_written([_at(1, 1)])
    assert recent.is_complete([1])


def test_what_a_router_repeats_and_postgres_holds_is_passed_over() -> None:
    recent = RecentEvents([1])
    recent.note_written([_at(1, 5, last_sequence=2)])
    _keep(
        recent,
        1,
        5,
        _events(
            (7, 1, OrderStatus.OPEN),
            (8, 1, OrderStatus.OPEN),
            (9, 1, OrderStatus.OPEN),
            first=1,
        ),
    )
    assert recent.images([1])["order_id"].tolist() == [9]


def test_records_that_come_together_are_kept_each_at_its_own_offset() -> None:
    recent = RecentEvents([1])
    recent.note_written([_at(1, 5, last_sequence=1)])
    events = _events(*((order_id, 1, OrderStatus.OPEN) for order_id in (7, 8, 9, 10)), first=1)
    recent.add(1, JoinedEvents(events, [(4, 1), (5, 2), (6, 1)]))
    assert recent.images([1])["order_id"].tolist() == [8, 9, 10]
    recent.note_written([_at(1, 6, last_sequence=3)])
    assert recent.images([1])["order_id"].tolist() == [10]


def test_a_market_is_incomplete_again_where_postgres_has_forgotten_its_last_moment() -> None:
    recent = RecentEvents([1])
    _keep(recent, 1, 0, _events((7, 1, OrderStatus.OPEN), first=1))
    recent.note_written([_at(1, 1, last_sequence=1)])
    assert recent.is_complete([1])
    recent.note_written([_at(1, 0)])
    assert not recent.is_complete([1])
    recent.note_written([_at(1, 1, last_sequence=1)])
    assert recent.is_complete([1])


@pytest.mark.parametrize("seed", range(20))
def test_rows_and_recent_events_together_are_the_newest_whatever_was_written(seed: int) -> None:
    random = np.random.default_rng(seed)
    recent = RecentEvents([1], events_max=int(random.integers(5, 60)))
    newest: dict[int, int] = {}
    rows: dict[int, int] = {}
    records: list[RecordArray] = []
    written = sequence = 0
    for offset in range(60):
        ids = random.integers(1, 12, random.integers(1, 5)).tolist()
        events = _events(*((one, 1, OrderStatus.OPEN) for one in ids), first=sequence + 1)
        sequence += len(events)
        records.append(events)
        _keep(recent, 1, offset, events)
        newest |= dict(zip(ids, events["sequence"].tolist(), strict=True))
        if random.random() < 0.4:
            reached = int(random.integers(written, offset + 2))
            for record in records[written:reached]:
                rows |= dict(
                    zip(record["order_id"].tolist(), record["sequence"].tolist(), strict=True)
                )
            written = reached
            last = int(records[written - 1]["sequence"][-1]) if written else 0
            recent.note_written([_at(1, written, last)])
        if not recent.is_complete([1]):
            continue
        images = recent.images([1])
        told = dict(zip(images["order_id"].tolist(), images["sequence"].tolist(), strict=True))
        seen = {key: max(rows.get(key, 0), told.get(key, 0)) for key in rows | told}
        assert seen == newest, f"seed {seed}, record {offset}"
