"""Fee rates and stamps go from a PLACE to its images; fields without a meaning yet are refused."""

import pytest

from actors.book.compiled import CompiledBook
from actors.book.naive import NaiveBook
from actors.book.reasons import Reason
from actors.book.vocabulary import EventKind, OrderStatus, Side
from tests.unit.book.desk import Desk, market, outcome

STAMP = {"shard": 513, "generation": 77, "maker_fee": -250, "taker_fee": 1_000}


def test_every_image_of_an_order_repeats_its_rates_and_its_stamp(desk: Desk) -> None:
    told = [desk.buy(1, 9, 100, **STAMP)]
    told.append(desk.amend(1, quantity_lots=8, generation=78, maker_fee=5, taker_fee=6))
    desk.sell(2, 3, 100, user_id=2)
    told.append(desk.events[0])
    told.append(desk.amend(1, price_ticks=99))
    told.append(desk.cancel(1))
    for event in told:
        assert {name: event[name] for name in STAMP} == STAMP


def test_a_trade_names_the_makers_rates_and_the_takers_own(desk: Desk) -> None:
    desk.sell(1, 5, 100, user_id=2, maker_fee=-100, taker_fee=300)
    end = desk.buy(2, 2, 100, maker_fee=40, taker_fee=900)
    trade = desk.events[0]
    assert trade["kind"] == EventKind.TRADE
    assert (trade["maker_fee"], trade["taker_fee"], trade["related_fee"]) == (-100, 300, 900)
    assert (end["maker_fee"], end["taker_fee"]) == (40, 900)
    assert "related_fee" not in end


@pytest.mark.parametrize(
    ("maker_fee", "taker_fee"),
    [(0, 0), (-100, 100), (100_000, 100_000), (-100_000, 100_000), (100_000, 0)],
)
def test_rates_within_ten_per_cent_and_a_rebate_within_the_takers_rate_are_taken(
    desk: Desk, maker_fee: int, taker_fee: int
) -> None:
    end = desk.buy(1, 1, 100, maker_fee=maker_fee, taker_fee=taker_fee)
    assert outcome(end) == (OrderStatus.OPEN, Reason.NONE)


@pytest.mark.parametrize(
    ("maker_fee", "taker_fee"),
    [
        *[(-1, 0), (-101, 100), (0, -1), (5, -5), (100_001, 0), (0, 100_001)],
        *[(-100_001, 100_001), (-(2**31), 2**31 - 1), (2**31 - 1, 0), (0, -(2**31))],
    ],
)
def test_other_rates_are_malformed_and_repeated_as_sent(
    desk: Desk, maker_fee: int, taker_fee: int
) -> None:
    end = desk.buy(1, 1, 100, maker_fee=maker_fee, taker_fee=taker_fee)
    assert outcome(end) == (OrderStatus.REJECTED, Reason.MALFORMED)
    assert (end.get("maker_fee", 0), end.get("taker_fee", 0)) == (maker_fee, taker_fee)


@pytest.mark.parametrize(
    "name", ["trigger_ticks", "display_lots", "list_id", "trail_bps", "trigger", "leg"]
)
def test_a_field_without_a_meaning_yet_is_malformed_and_repeated_as_sent(
    desk: Desk, name: str
) -> None:
    end = desk.buy(1, 1, 100, **{name: 1}, shard=9)
    assert outcome(end) == (OrderStatus.REJECTED, Reason.MALFORMED)
    assert (end[name], end["shard"]) == (1, 9)
    assert desk.queue(Side.BUY) == []


def test_the_key_of_an_order_is_carried_and_not_looked_at(desk: Desk) -> None:
    end = desk.buy(1, 1, 100, key_id=-7)
    assert outcome(end) == (OrderStatus.OPEN, Reason.NONE)


def test_rates_and_stamps_are_part_of_the_state(
    book_type: type[NaiveBook | CompiledBook],
) -> None:
    hashes = set()
    for fields in ({}, {"generation": 1}, {"shard": 1}, {"maker_fee": 1}, {"taker_fee": 1}):
        desk = Desk(book_type(market()))
        desk.buy(1, 1, 100, **fields)
        hashes.add(desk.book.state_hash())
    assert len(hashes) == 5
