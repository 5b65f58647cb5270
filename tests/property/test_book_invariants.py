"""What must hold for every stream, checked without a second matching engine."""

import numpy as np
import pytest

from actors.book.compiled import CompiledBook
from actors.book.naive import NaiveBook
from actors.book.records import RecordArray
from tests.property.checker import Checker
from tests.property.streams import ARENAS, stream
from tests.property.twins import assert_same_rows, assert_same_state

Implementation = type[NaiveBook] | type[CompiledBook]
both = pytest.mark.parametrize("implementation", [NaiveBook, CompiledBook])
everywhere = pytest.mark.parametrize("arena", ARENAS)


def in_batches(
    book: NaiveBook | CompiledBook, commands: RecordArray, sizes: list[int]
) -> list[RecordArray]:
    """Apply all commands in batches whose sizes repeat; return each batch's events."""
    events = []
    position = turn = 0
    while position < len(commands):
        size = sizes[turn % len(sizes)]
        events.append(book.apply(commands[position : position + size]).events)
        position += size
        turn += 1
    return events


@both
@everywhere
def test_trades_keep_price_time_priority_and_fills_never_exceed_and_no_book_is_crossed(
    arena: str, implementation: Implementation
) -> None:
    commands = stream(ARENAS[arena], seed=21, count=12_000)
    book, checker = implementation(ARENAS[arena].market), Checker()
    for start in range(0, len(commands), 100):
        batch = commands[start : start + 100]
        checker.follow(batch, book.apply(batch).events)
    assert checker.trade_id == book.last_trade_id > 0
    assert len(checker.open) == book.open_orders


@both
@everywhere
def test_what_the_events_leave_open_is_what_the_book_holds(
    arena: str, implementation: Implementation
) -> None:
    commands = stream(ARENAS[arena], seed=22, count=5_000)
    book, checker = implementation(ARENAS[arena].market), Checker()
    checker.follow(commands, book.apply(commands).events)
    for images in book.orders(100_000):
        for image in images:
            resting = checker.open.pop(int(image["order_id"]))
            assert (resting.price, resting.quantity) == (
                image["price_ticks"],
                image["quantity_lots"],
            )
            assert (resting.filled, resting.notional) == (image["filled_lots"], image["notional"])
    assert not checker.open


@both
@everywhere
def test_the_same_log_gives_the_same_events_and_hash_in_any_batching(
    arena: str, implementation: Implementation
) -> None:
    commands = stream(ARENAS[arena], seed=23, count=8_000)
    market = ARENAS[arena].market
    whole = implementation(market)
    events = whole.apply(commands).events
    for sizes in ([1], [1, 999], [256], [4096, 3]):
        split = implementation(market)
        parts = in_batches(split, commands, sizes)
        assert_same_rows(events, np.concatenate(parts), "event", commands)
        assert_same_state(whole, split)


@both
@everywhere
def test_a_book_restored_from_its_snapshot_goes_on_as_if_nothing_had_happened(
    arena: str, implementation: Implementation
) -> None:
    commands = stream(ARENAS[arena], seed=24, count=12_000)
    market = ARENAS[arena].market
    book = implementation(market)
    for start in range(0, len(commands), 1_500):
        batch = commands[start : start + 1_500]
        restored = implementation.restore(market, book.snapshot())
        assert_same_state(book, restored)
        events = book.apply(batch).events
        assert_same_rows(events, restored.apply(batch).events, "event", batch)
        assert_same_state(book, restored)


@both
def test_the_levels_of_each_batch_rebuild_the_whole_depth(implementation: Implementation) -> None:
    commands = stream(ARENAS["scattered"], seed=25, count=20_000)
    book = implementation(ARENAS["scattered"].market)
    levels: dict[tuple[int, int], tuple[int, ...]] = {}
    update_id = 0
    for start in range(0, len(commands), 37):
        applied = book.apply(commands[start : start + 37])
        assert applied.previous_update_id == update_id
        update_id = applied.last_update_id
        for side, price, *rest in applied.levels.tolist():
            levels[side, price] = tuple(rest)
    alive = sorted((key, row) for key, row in levels.items() if row[0])
    bids, asks = book.depth(100_000)
    shown = [((side, price), tuple(row)) for side, price, *row in bids.tolist() + asks.tolist()]
    assert alive == sorted(shown)
