"""Fills, sides and priority: right events pass, and each wrong one is found and named."""

from collections.abc import Callable

import numpy as np
import pytest

from actors.book.naive import NaiveBook
from actors.book.records import RecordArray
from actors.book.vocabulary import EventKind, Flag, Side
from cluster.verify.fills import Fills
from cluster.verify.priority import Priority
from cluster.verify.report import Check
from cluster.verify.sides import Sides
from tests.beds.commands import flow, market, place
from tests.property.streams import ARENAS, stream

JUDGES = (Fills, Sides, Priority)
Judging = type[Fills] | type[Sides] | type[Priority]


def judged(judge: Judging, events: RecordArray) -> Check:
    check = Check(name="judged")
    judge(check, "T1-USD").follow(events)
    return check


def events_of(*commands: RecordArray) -> RecordArray:
    return NaiveBook(market()).apply(np.concatenate(commands)).events


@pytest.mark.parametrize("judge", JUDGES)
@pytest.mark.parametrize("arena", ARENAS)
def test_what_a_right_book_does_passes(judge: Judging, arena: str) -> None:
    events = (
        NaiveBook(ARENAS[arena].market).apply(stream(ARENAS[arena], seed=11, count=3_000)).events
    )
    check = judged(judge, events)
    assert (check.differences, check.first) == (0, None)
    assert check.checked > 0


@pytest.mark.parametrize("judge", [Sides, Priority])
def test_orders_that_were_open_before_are_taken_over(judge: type[Sides] | type[Priority]) -> None:
    commands = flow(800)
    book = NaiveBook(market())
    book.apply(commands[:400])
    check = Check(name="judged")
    one = judge(check, "T1-USD")
    for images in book.orders(book.open_orders):
        one.adopt(images)
    one.follow(book.apply(commands[400:]).events)
    assert check.differences == 0


def overfill(events: RecordArray) -> None:
    trade = np.flatnonzero(events["kind"] == EventKind.TRADE)[0]
    events["filled_lots"][trade] = events["quantity_lots"][trade] + 1


def filled_too_soon(events: RecordArray) -> None:
    ends = np.flatnonzero((events["status"] == 3) & (events["kind"] == EventKind.ORDER))
    events["filled_lots"][ends[0]] -= 1


def trade_of_nothing(events: RecordArray) -> None:
    events["trade_lots"][np.flatnonzero(events["kind"] == EventKind.TRADE)[0]] = 0


@pytest.mark.parametrize("spoil", [overfill, filled_too_soon, trade_of_nothing])
def test_a_wrong_fill_is_found(spoil: Callable[[RecordArray], None]) -> None:
    events = events_of(flow(300))
    spoil(events)
    check = judged(Fills, events)
    assert check.differences == 1
    assert check.first is not None
    assert "(sequence " in check.first


def test_a_maker_that_gave_less_than_it_traded_is_found() -> None:
    events = events_of(
        place(1, Side.SELL, price_ticks=100, quantity_lots=9),
        place(2, Side.BUY, price_ticks=100, quantity_lots=4, user_id=2),
    )
    events["filled_lots"][1] = 3
    check = judged(Sides, events)
    assert check.differences == 1
    assert check.first is not None
    assert check.first.startswith("T1-USD order 1 (sequence 2) stands at 3 lots for 400")


def test_a_taker_that_got_more_than_its_makers_gave_is_found() -> None:
    events = events_of(
        place(1, Side.SELL, price_ticks=100, quantity_lots=3),
        place(2, Side.BUY, price_ticks=100, quantity_lots=4, user_id=2),
    )
    events["filled_lots"][2] = 4
    assert judged(Sides, events).differences == 1


def test_a_trade_with_another_taker_than_the_command_is_found() -> None:
    events = events_of(
        place(1, Side.SELL, price_ticks=100, quantity_lots=3),
        place(2, Side.BUY, price_ticks=100, quantity_lots=4, user_id=2),
    )
    events["related_user_id"][1] = 3
    check = judged(Sides, events)
    assert check.differences == 1
    assert "order 2 of user 3 as its taker" in (check.first or "")


def swap_makers(events: RecordArray) -> RecordArray:
    """Let the second seller at a price trade before the first, and nothing else be wrong."""
    trade = events[events["kind"] == EventKind.TRADE][0]
    spoilt = events.copy()
    at = int(np.flatnonzero(events["sequence"] == trade["sequence"])[0])
    spoilt["order_id"][at] = 2
    return spoilt


def test_a_later_order_that_trades_first_is_found() -> None:
    events = events_of(
        place(1, Side.SELL, price_ticks=100, quantity_lots=3),
        place(2, Side.SELL, price_ticks=100, quantity_lots=3),
        place(3, Side.BUY, price_ticks=100, quantity_lots=1, user_id=2),
    )
    assert judged(Priority, events).differences == 0
    check = judged(Priority, swap_makers(events))
    assert check.differences == 1
    assert check.first == (
        "T1-USD trade 1 (sequence 3): order 1 at 100 comes before its maker 2 at 100"
    )


def test_a_worse_price_that_trades_first_is_found() -> None:
    events = events_of(
        place(1, Side.SELL, price_ticks=100, quantity_lots=3),
        place(2, Side.SELL, price_ticks=101, quantity_lots=3),
        place(3, Side.BUY, price_ticks=101, quantity_lots=1, user_id=2),
    )
    spoilt = swap_makers(events)
    spoilt["price_ticks"][2] = 101
    check = judged(Priority, spoilt)
    assert check.differences == 1
    assert "order 1 at 100 comes before its maker 2 at 101" in (check.first or "")


def test_a_trade_beyond_the_takers_limit_is_found() -> None:
    events = events_of(
        place(1, Side.SELL, price_ticks=100, quantity_lots=3),
        place(2, Side.BUY, price_ticks=100, quantity_lots=3, user_id=2),
    )
    events["price_ticks"][2] = 99
    assert judged(Priority, events).first == (
        "T1-USD sequence 3: a taker with limit 99 traded at 100"
    )


def test_a_book_that_stays_crossed_is_found() -> None:
    events = events_of(
        place(1, Side.SELL, price_ticks=100, quantity_lots=3),
        place(2, Side.BUY, price_ticks=99, quantity_lots=3, user_id=2),
    )
    events["price_ticks"][1] = 100
    check = judged(Priority, events)
    assert check.first == (
        "T1-USD sequence 2: bid 100 of order 2 meets ask 100 of order 1, and both rest"
    )
    assert events["flags"][1] & Flag.LAST
