"""A snapshot gives the same book back, or nothing."""

from collections.abc import Iterator

import numpy as np
import pytest

from actors.book.compiled import CompiledBook
from actors.book.errors import SnapshotRefusedError
from actors.book.records import RecordArray
from tests.property.streams import ARENAS, stream

ARENA = ARENAS["crowded"]


def batches(commands: RecordArray, size: int) -> Iterator[RecordArray]:
    for start in range(0, len(commands), size):
        yield commands[start : start + size]


@pytest.fixture(scope="module")
def commands() -> RecordArray:
    return stream(ARENA, seed=21, count=6_000)


@pytest.fixture(scope="module")
def snapshot(commands: RecordArray) -> bytes:
    book = CompiledBook(ARENA.market)
    book.apply(commands[:3_000])
    assert book.open_orders > 20
    return book.snapshot()


def test_a_restored_book_has_the_same_hash_and_the_same_future(commands: RecordArray) -> None:
    book = CompiledBook(ARENA.market)
    for batch in batches(commands, 500):
        restored = CompiledBook.restore(ARENA.market, book.snapshot())
        assert restored.state_hash() == book.state_hash()
        assert restored.next_expiry_us() == book.next_expiry_us()
        expected, actual = book.apply(batch), restored.apply(batch)
        assert actual.events.tobytes() == expected.events.tobytes()
        assert actual.levels.tobytes() == expected.levels.tobytes()
        assert actual.previous_update_id == expected.previous_update_id
        assert restored.state_hash() == book.state_hash()


def test_a_snapshot_depends_on_the_state_alone(commands: RecordArray) -> None:
    at_once, in_steps = CompiledBook(ARENA.market), CompiledBook(ARENA.market, initial_orders=2)
    at_once.apply(commands)
    for batch in batches(commands, 7):
        in_steps.apply(batch)
    assert in_steps.snapshot() == at_once.snapshot()
    restored = CompiledBook.restore(ARENA.market, at_once.snapshot())
    assert restored.snapshot() == at_once.snapshot()


def test_an_empty_book_comes_back_empty() -> None:
    restored = CompiledBook.restore(ARENA.market, CompiledBook(ARENA.market).snapshot())
    assert restored.state_hash() == CompiledBook(ARENA.market).state_hash()
    assert restored.open_orders == 0


@pytest.mark.parametrize("kept", [0, 1, 11, 40, 95, 96, 200, -8, -1])
def test_a_torn_snapshot_is_refused(snapshot: bytes, kept: int) -> None:
    with pytest.raises(SnapshotRefusedError):
        CompiledBook.restore(ARENA.market, snapshot[:kept])


def test_a_snapshot_with_one_flipped_bit_anywhere_is_refused(snapshot: bytes) -> None:
    places = np.random.default_rng(4).choice(len(snapshot), 100, replace=False).tolist()
    for place in [*range(96), *places]:
        changed = bytearray(snapshot)
        changed[place] ^= 0x10
        with pytest.raises(SnapshotRefusedError):
            CompiledBook.restore(ARENA.market, bytes(changed))


def test_another_markets_snapshot_is_refused(snapshot: bytes) -> None:
    other = ARENAS["scattered"].market
    foreign = type(other)(
        market_id=other.market_id + 1,
        pair="OTHER-USD",
        tick_size="0.01",
        lot_size="0.01",
        min_notional_units=0,
        max_price_ticks=10,
        max_quantity_lots=10,
    )
    with pytest.raises(SnapshotRefusedError, match="market 7"):
        CompiledBook.restore(foreign, snapshot)
