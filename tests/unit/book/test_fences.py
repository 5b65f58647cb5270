"""Fences: a newer generation of an account shard shuts the older ones out (docs/matching.md)."""

import pytest

from actors.book.compiled import CompiledBook
from actors.book.contract import Book
from actors.book.naive import NaiveBook
from actors.book.reasons import Reason
from actors.book.vocabulary import CommandKind, EventKind, Flag, OrderStatus, Side
from tests.unit.book.desk import Desk, Fields, market, outcome, refusal

FURTHEST = 65_535


def fence(desk: Desk, shard: int, generation: int) -> Fields:
    """Fence a shard and return the answer."""
    (answer,) = desk.send(CommandKind.FENCE, shard=shard, generation=generation)
    return answer


@pytest.mark.parametrize("shard", [0, 1, FURTHEST])
def test_a_fence_is_answered_with_the_newest_generation_of_its_shard(
    desk: Desk, shard: int
) -> None:
    for generation, newest in [(5, 5), (3, 5), (5, 5), (6, 6)]:
        answer = fence(desk, shard, generation)
        assert answer["kind"] == EventKind.FENCE
        assert answer["flags"] == Flag.LAST
        assert (answer.get("shard", 0), answer["generation"]) == (shard, newest)
        told = {"kind", "flags", "sequence", "market_id", "command_id", "shard", "generation"}
        assert set(answer) <= told


def test_an_older_generation_of_a_fenced_shard_may_not_place(desk: Desk) -> None:
    fence(desk, 3, 5)
    refused = desk.buy(1, 1, 100, shard=3, generation=4)
    assert refusal(refused) == Reason.FENCED
    assert (refused["order_id"], refused["user_id"]) == (1, 1)
    assert outcome(desk.buy(1, 1, 100, shard=3, generation=5))[0] == OrderStatus.OPEN
    assert outcome(desk.buy(2, 1, 100, shard=3, generation=6))[0] == OrderStatus.OPEN
    assert outcome(desk.buy(3, 1, 100, shard=2, generation=1))[0] == OrderStatus.OPEN
    assert outcome(desk.buy(4, 1, 100))[0] == OrderStatus.OPEN


def test_an_older_generation_may_not_amend_and_may_cancel(desk: Desk) -> None:
    desk.buy(1, 5, 100, shard=3, generation=5)
    fence(desk, 3, 6)
    refused = desk.amend(1, quantity_lots=9, shard=3, generation=5)
    assert refusal(refused) == Reason.FENCED
    end = desk.amend(1, quantity_lots=4, shard=3, generation=6)
    assert (end["quantity_lots"], end["generation"]) == (4, 5)
    assert outcome(desk.cancel(1, shard=3, generation=5))[0] == OrderStatus.CANCELLED


def test_what_is_fenced_is_refused_before_anything_else_is_looked_at(desk: Desk) -> None:
    fence(desk, 0, 1)
    desk.send(CommandKind.HALT)
    assert refusal(desk.buy(-1, 1, 100)) == Reason.FENCED
    assert refusal(desk.amend(77, quantity_lots=1)) == Reason.FENCED
    assert refusal(desk.buy(1, 1, 100, maker_fee=-1)) == Reason.FENCED


def test_a_fenced_order_takes_no_client_order_id(desk: Desk) -> None:
    fence(desk, 0, 2)
    desk.buy(1, 1, 100, client_order_id="mine", generation=1)
    end = desk.buy(2, 1, 100, client_order_id="mine", generation=2)
    assert outcome(end) == (OrderStatus.OPEN, Reason.NONE)


def test_a_fence_is_taken_while_the_market_is_halted(desk: Desk) -> None:
    desk.send(CommandKind.HALT)
    assert fence(desk, 1, 1)["kind"] == EventKind.FENCE


@pytest.mark.parametrize("generation", [0, -1])
def test_a_fence_without_a_generation_is_malformed_and_shuts_nobody_out(
    desk: Desk, generation: int
) -> None:
    assert refusal(fence(desk, 1, generation)) == Reason.MALFORMED
    assert outcome(desk.buy(1, 1, 100, shard=1))[0] == OrderStatus.OPEN


@pytest.mark.parametrize("shard", [0, FURTHEST])
def test_a_generation_below_zero_is_fenced_where_no_fence_is(desk: Desk, shard: int) -> None:
    assert refusal(desk.buy(1, 1, 100, shard=shard, generation=-1)) == Reason.FENCED


def test_fences_are_part_of_the_state(book_type: type[NaiveBook | CompiledBook]) -> None:
    desk, other = Desk(book_type(market())), Desk(book_type(market()))
    before = desk.book.state_hash()
    fence(desk, 1, 1)
    once = desk.book.state_hash()
    assert once != before
    fence(other, 1, 2)
    assert other.book.state_hash() != once


@pytest.mark.parametrize("shard", [7, FURTHEST])
def test_a_restored_book_knows_the_fences(
    book_type: type[NaiveBook | CompiledBook], shard: int
) -> None:
    desk = Desk(book_type(market()))
    fence(desk, 2, 9)
    fence(desk, shard, 4)
    book: Book = book_type.restore(market(), desk.book.snapshot())
    assert book.state_hash() == desk.book.state_hash()
    restored = Desk(book)
    assert refusal(restored.buy(1, 1, 100, shard=shard, generation=3)) == Reason.FENCED
    assert outcome(restored.buy(2, 1, 100, shard=shard, generation=4))[0] == OrderStatus.OPEN
    assert fence(restored, 2, 1)["generation"] == 9
    assert restored.queue(Side.BUY) == [(2, 1, 100)]
