"""Outcomes of batches belong to their callers, though they lie in the kernel's own memory."""

import numpy as np

from actors.book.compiled import CompiledBook
from actors.book.market import Market
from actors.book.naive import NaiveBook
from tests.property.streams import ARENAS, stream

BATCH = 50


def test_outcomes_that_are_kept_stay_as_they_were() -> None:
    arena = ARENAS["crowded"]
    commands = stream(arena, seed=3, count=3_000)
    books = NaiveBook(arena.market), CompiledBook(arena.market, initial_orders=2)
    batches = [commands[start : start + BATCH] for start in range(0, len(commands), BATCH)]
    expected, kept = [[book.apply(batch) for batch in batches] for book in books]
    for one, other in zip(expected, kept, strict=True):
        assert one.events.tobytes() == other.events.tobytes()
        assert one.levels.tobytes() == other.levels.tobytes()


def test_a_view_of_an_outcome_keeps_it_alone() -> None:
    arena = ARENAS["crowded"]
    commands = stream(arena, seed=4, count=2_000)
    book = CompiledBook(arena.market)
    ids = book.apply(commands[:BATCH]).events["order_id"][1:]
    before = ids.copy()
    for start in range(BATCH, len(commands), BATCH):
        book.apply(commands[start : start + BATCH])
    assert np.array_equal(ids, before)


def test_memory_of_outcomes_that_are_gone_is_used_again(wide_market: Market) -> None:
    book = CompiledBook(wide_market)
    commands = stream(ARENAS["scattered"], seed=5, count=1_000)
    places = {
        book.apply(commands[start : start + BATCH]).events.ctypes.data
        for start in range(0, len(commands), BATCH)
    }
    assert len(places) == 1
