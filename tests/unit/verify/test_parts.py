"""What the checks stand on: the spool, rows side by side, a naive book from a snapshot."""

from collections.abc import Iterator

import numpy as np
import pytest

from actors.book.compiled import CompiledBook
from actors.book.naive import NaiveBook
from actors.book.vocabulary import EventKind
from cluster.verify.report import Check
from cluster.verify.spool import Spool
from cluster.verify.start import naive_book
from cluster.verify.tables import compare_rows
from tests.property.streams import ARENAS, stream
from tests.property.twins import assert_same_rows, assert_same_state

ARENA = ARENAS["crowded"]


@pytest.fixture
def spool() -> Iterator[Spool]:
    made = Spool(base_sequence=100)
    yield made
    made.close()


def test_a_spool_gives_events_back_in_any_order(spool: Spool) -> None:
    events = NaiveBook(ARENA.market).apply(stream(ARENA, seed=3, count=900)).events
    spool.append(events[:200])
    spool.append(events[200:])
    assert spool.last_sequence == 100 + len(events)
    wanted = np.array([len(events) + 100, 101, 350, 101])
    assert spool.at(wanted).tobytes() == events[wanted - 101].tobytes()
    trades = np.concatenate(list(spool.trades(7)))
    assert trades.tobytes() == events[events["kind"] == EventKind.TRADE].tobytes()
    assert spool.kinds().tolist() == events["kind"].tolist()


def test_a_spool_finds_the_last_image_of_each_order_of_a_range(spool: Spool) -> None:
    events = NaiveBook(ARENA.market).apply(stream(ARENA, seed=4, count=900)).events
    spool.append(events)
    known = events[:700]
    last = {
        int(event["order_id"]): event
        for event in known
        if event["kind"] in (EventKind.TRADE, EventKind.ORDER)
    }
    ids = sorted(last)
    for after, up_to, wanted in ((ids[10], ids[200], ids[11:201]), (-(2**62), 2**63 - 1, ids)):
        found = spool.last_images(after_id=after, up_to_id=up_to, up_to_sequence=100 + len(known))
        assert found["order_id"].tolist() == wanted
        assert found.tobytes() == b"".join(last[order_id].tobytes() for order_id in wanted)
    assert len(spool.last_images(after_id=0, up_to_id=ids[-1], up_to_sequence=90)) == 0


def test_an_empty_spool_holds_nothing(spool: Spool) -> None:
    assert len(spool.last_images(after_id=0, up_to_id=9, up_to_sequence=100)) == 0
    assert list(spool.trades(5)) == []
    assert len(spool.kinds()) == 0


def test_rows_that_are_missing_too_many_or_different_are_counted_and_the_first_named() -> None:
    check = Check(name="rows")
    compare_rows(
        check,
        "trade",
        key="id",
        expected={"id": np.array([1, 2, 3, 4]), "price": np.array([10, 20, 30, 40])},
        found={"id": np.array([0, 2, 3, 4]), "price": np.array([0, 20, 31, 41])},
    )
    assert (check.checked, check.differences) == (3, 4)
    assert check.first == "trade 1 has no row"
    other = Check(name="rows")
    compare_rows(
        other,
        "trade",
        key="id",
        expected={"id": np.array([3]), "price": np.array([30]), "lots": np.array([2])},
        found={"id": np.array([3]), "price": np.array([31]), "lots": np.array([2])},
    )
    assert other.first == "trade 3: price 31, by the log 30"


@pytest.mark.parametrize("arena", ARENAS)
def test_a_naive_book_from_a_snapshot_goes_on_as_the_compiled_one(arena: str) -> None:
    one = ARENAS[arena]
    commands = stream(one, seed=8, count=2_000)
    compiled = CompiledBook(one.market)
    compiled.apply(commands[:1_200])
    naive = naive_book(one.market, compiled.snapshot())
    assert_same_state(naive, compiled)
    assert_same_rows(
        compiled.apply(commands[1_200:]).events, naive.apply(commands[1_200:]).events, "event"
    )
    assert naive.state_hash() == compiled.state_hash()
