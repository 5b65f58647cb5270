"""A snapshot gives the same book back, or nothing."""

import zlib
from collections.abc import Iterator

import numpy as np
import pytest

from actors.book.compiled import CompiledBook
from actors.book.compiled_snapshot import DECODERS, HEADER_DTYPE, Parts, parts
from actors.book.errors import UnreadableSnapshotError
from actors.book.records import EVENT_DTYPE, RecordArray
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
    with pytest.raises(UnreadableSnapshotError):
        CompiledBook.restore(ARENA.market, snapshot[:kept])


def test_a_snapshot_with_one_flipped_bit_anywhere_is_refused(snapshot: bytes) -> None:
    places = np.random.default_rng(4).choice(len(snapshot), 100, replace=False).tolist()
    for place in [*range(96), *places]:
        changed = bytearray(snapshot)
        changed[place] ^= 0x10
        with pytest.raises(UnreadableSnapshotError):
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
    with pytest.raises(UnreadableSnapshotError, match="market 7"):
        CompiledBook.restore(foreign, snapshot)


OLDER_ORDER = np.dtype([(name, EVENT_DTYPE[name]) for name in (EVENT_DTYPE.names or ())[:-1]])


def of_older_version(header: np.void, body: memoryview) -> Parts:
    """Read a made-up version whose orders end before the last word, and lift them."""
    count = int(header["orders"])
    narrow = np.frombuffer(body, OLDER_ORDER, count=count)
    counted = int(header["finished"]), int(header["state"][5])
    words = np.frombuffer(body, np.int64, offset=narrow.nbytes)
    finished, fences = words[: counted[0] * 7].reshape(-1, 7), words[counted[0] * 7 :]
    orders = np.zeros(count, EVENT_DTYPE)
    for name in OLDER_ORDER.names or ():
        orders[name] = narrow[name]
    time_us, sequence, last_trade_id, update_id, halted = header["state"][:5].tolist()
    counters = (time_us, sequence, last_trade_id, update_id, bool(halted))
    return Parts(*counters, orders, finished, fences.reshape(counted[1], 2))


def in_older_version(snapshot: bytes) -> bytes:
    one = parts(ARENA.market, snapshot)
    narrow = np.zeros(len(one.orders), OLDER_ORDER)
    for name in OLDER_ORDER.names or ():
        narrow[name] = one.orders[name]
    return sealed_again(
        snapshot, 77, narrow.tobytes() + one.finished.tobytes() + one.fences.tobytes()
    )


def sealed_again(snapshot: bytes, version: int, body: bytes) -> bytes:
    header = np.frombuffer(snapshot, HEADER_DTYPE, count=1).copy()
    header["version"] = version
    header["checksum"] = zlib.crc32(header.tobytes()[12:] + body)
    return header.tobytes() + body


def test_a_snapshot_of_an_older_version_gives_the_same_book_and_the_same_future(
    snapshot: bytes, commands: RecordArray
) -> None:
    older = in_older_version(snapshot)
    assert len(older) < len(snapshot)
    lifted = CompiledBook.restore(ARENA.market, older, decoders={**DECODERS, 77: of_older_version})
    newest = CompiledBook.restore(ARENA.market, snapshot)
    assert lifted.state_hash() == newest.state_hash()
    assert lifted.snapshot() == snapshot
    expected = newest.apply(commands[3_000:]).events
    assert lifted.apply(commands[3_000:]).events.tobytes() == expected.tobytes()


def test_a_snapshot_of_a_newer_version_is_refused_in_one_line(snapshot: bytes) -> None:
    newer = sealed_again(snapshot, 3, snapshot[HEADER_DTYPE.itemsize :])
    with pytest.raises(
        UnreadableSnapshotError, match=r"^snapshot has version 3, this build reads 1, 2$"
    ):
        CompiledBook.restore(ARENA.market, newer)


def test_the_parts_of_the_newest_version_are_views_of_the_snapshot(snapshot: bytes) -> None:
    one = parts(ARENA.market, snapshot)
    for part in (one.orders, one.finished, one.fences):
        assert len(part) > 0
        assert np.shares_memory(part, np.frombuffer(snapshot, np.uint8))
