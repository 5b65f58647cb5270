"""A snapshot of the naive book is refused where it is torn or foreign."""

from dataclasses import replace

import pytest

from actors.book.naive import NaiveBook
from actors.book.naive_state import DamagedSnapshotError
from actors.book.vocabulary import Side
from tests.unit.book.desk import Desk, market


@pytest.fixture
def snapshot() -> bytes:
    desk = Desk(NaiveBook(market()))
    desk.buy(1, 5, 100, client_order_id="a")
    desk.sell(2, 9, 100, user_id=2)
    return desk.book.snapshot()


def test_a_snapshot_brings_the_book_back(snapshot: bytes) -> None:
    desk = Desk(NaiveBook.restore(market(), snapshot))
    assert desk.queue(Side.SELL) == [(2, 4, 100)]
    assert desk.book.snapshot() == snapshot


@pytest.mark.parametrize("cut", [0, 10, 40, -1])
def test_a_torn_snapshot_is_refused(snapshot: bytes, cut: int) -> None:
    with pytest.raises(DamagedSnapshotError, match="checksum"):
        NaiveBook.restore(market(), snapshot[:cut])


def test_a_snapshot_with_one_flipped_bit_is_refused(snapshot: bytes) -> None:
    flipped = snapshot[:60] + bytes([snapshot[60] ^ 1]) + snapshot[61:]
    with pytest.raises(DamagedSnapshotError, match="checksum"):
        NaiveBook.restore(market(), flipped)


def test_another_markets_snapshot_is_refused(snapshot: bytes) -> None:
    with pytest.raises(DamagedSnapshotError, match="market 3"):
        NaiveBook.restore(replace(market(), market_id=4), snapshot)
