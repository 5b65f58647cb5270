"""What amends hold first and give back after, and what fences do to what is on its way."""

import numpy as np
import pytest

from actors.book.vocabulary import CommandKind, Side
from actors.ledger.contract import MAX_AMENDS
from actors.ledger.vocabulary import JournalKind, Outcome
from tests.property.ledger_floor import command
from tests.unit.ledger.desk import BTC, BUYER, FUNDS, PAIR, SELLER, STRANGER, USD, Desk


@pytest.fixture
def desk() -> Desk:
    return Desk()


@pytest.fixture
def order(desk: Desk) -> int:
    """Return a buy of 100 lots at 50, which holds 500."""
    return desk.buy(100, 50)


def amend(desk: Desk, order: int, **fields: int) -> int:
    """Hold for an amend; return what more it needs."""
    result = desk.hold(CommandKind.AMEND, order_id=order, **fields)
    assert result["outcome"] == Outcome.DONE
    return int(result["needed"])


def test_an_amend_that_costs_more_holds_the_difference_first(desk: Desk, order: int) -> None:
    assert amend(desk, order, price_ticks=60) == 100
    assert desk.has(BUYER, USD) == (FUNDS - 600, 600)
    desk.floor.flush()
    assert desk.has(BUYER, USD) == (FUNDS - 600, 600)


def test_an_amend_that_costs_less_gives_back_when_the_book_has_it(desk: Desk, order: int) -> None:
    assert amend(desk, order, quantity_lots=40) == 0
    assert desk.has(BUYER, USD) == (FUNDS - 500, 500)
    desk.floor.flush()
    assert desk.has(BUYER, USD) == (FUNDS - 200, 200)


def test_an_amend_of_the_same_value_needs_nothing(desk: Desk, order: int) -> None:
    assert amend(desk, order, price_ticks=100, quantity_lots=50) == 0


def test_an_amend_to_more_lots_at_less_covers_fills_at_the_older_price(
    desk: Desk, order: int
) -> None:
    assert amend(desk, order, price_ticks=25, quantity_lots=200) == 250
    desk.floor.flush()
    assert desk.has(BUYER, USD) == (FUNDS - 500, 500)


def test_fills_on_their_way_are_covered(desk: Desk, order: int) -> None:
    desk.hold(user_id=SELLER, side=Side.SELL, quantity_lots=90, price_ticks=50)
    amend(desk, order, price_ticks=70, quantity_lots=150)
    desk.floor.flush()
    desk.floor.compare()
    desk.floor.assert_holds_are_what_open_orders_may_cost()
    assert desk.has(BUYER, USD) == (FUNDS - 450 - 420, 420)


def test_an_amend_that_the_book_refuses_gives_back(desk: Desk, order: int) -> None:
    desk.hold(user_id=SELLER, side=Side.SELL, quantity_lots=60, price_ticks=50)
    assert amend(desk, order, quantity_lots=60, price_ticks=900) == 4_900
    desk.floor.flush()
    assert desk.has(BUYER, USD) == (FUNDS - 500, 200)


def test_an_amend_that_trades_pays_from_what_it_holds(desk: Desk, order: int) -> None:
    desk.sell(30, 80)
    left = FUNDS - 500
    desk.journal(JournalKind.ADJUSTMENT, user_id=BUYER, asset=USD, amount=-left + 300)
    assert amend(desk, order, price_ticks=80) == 300
    desk.floor.flush()
    assert desk.has(BUYER, USD) == (0, 560)
    assert desk.has(BUYER, BTC) == (FUNDS + 300, 0)


def test_an_amend_to_less_at_a_higher_price_pays_for_each_of_its_fills(
    desk: Desk, order: int
) -> None:
    desk.sell(30, 80)
    desk.sell(30, 80)
    desk.journal(JournalKind.ADJUSTMENT, user_id=BUYER, asset=USD, amount=-(FUNDS - 500))
    assert amend(desk, order, price_ticks=80, quantity_lots=62) == 0
    desk.floor.apply(PAIR)
    (events,) = desk.floor.events[PAIR]
    assert len(events) == 3
    for number in range(3):
        for ledger in desk.floor.ledgers[0]:
            ledger.settle(PAIR, events[number : number + 1])
        assert desk.has(BUYER, USD) == [(4, 256), (4, 16), (4, 16)][number]


def test_an_amend_that_is_not_paid_for_is_refused_and_changes_nothing(
    desk: Desk, order: int
) -> None:
    desk.journal(JournalKind.ADJUSTMENT, user_id=BUYER, asset=USD, amount=-(FUNDS - 500))
    result = desk.hold(CommandKind.AMEND, order_id=order, price_ticks=51)
    assert (result["outcome"], result["needed"]) == (Outcome.INSUFFICIENT, 10)
    assert [int(one.holds()["amends"][0]) for one in desk.floor.ledgers[0]] == [0, 0]


@pytest.mark.parametrize(
    ("fields", "outcome"),
    [
        ({"order_id": 999, "price_ticks": 1}, Outcome.UNKNOWN_ORDER),
        ({"user_id": SELLER, "price_ticks": 1}, Outcome.NOT_OWNER),
        ({"user_id": STRANGER, "price_ticks": 1}, Outcome.NOT_OWNER),
        ({}, Outcome.MALFORMED),
        ({"price_ticks": -1}, Outcome.MALFORMED),
        ({"quantity_lots": 201}, Outcome.MALFORMED),
    ],
)
def test_an_amend_that_means_nothing_is_refused(
    desk: Desk, order: int, fields: dict[str, int], outcome: Outcome
) -> None:
    given = {"order_id": order} | fields
    assert desk.hold(CommandKind.AMEND, **given)["outcome"] == outcome


def test_an_append_that_failed_gives_back(desk: Desk, order: int) -> None:
    amended = command(CommandKind.AMEND, order_id=order, command_id=501, user_id=BUYER)
    amended["price_ticks"] = 100
    placed = command(CommandKind.PLACE, order_id=502, command_id=502, user_id=BUYER, order_type=1)
    placed["side"], placed["price_ticks"], placed["quantity_lots"] = Side.BUY, 9, 9
    for row in (amended, placed):
        assert desk.floor.hold(PAIR, row)["outcome"] == Outcome.DONE
        assert desk.has(BUYER, USD) != (FUNDS - 500, 500)
        desk.floor.release(PAIR, row)
        assert desk.has(BUYER, USD) == (FUNDS - 500, 500)
    desk.floor.release(PAIR, np.concatenate([amended, placed]))
    assert desk.has(BUYER, USD) == (FUNDS - 500, 500)


def test_a_fence_gives_back_what_older_generations_asked_for(desk: Desk, order: int) -> None:
    late = command(CommandKind.PLACE, order_id=801, command_id=801, user_id=BUYER, order_type=1)
    late["side"], late["price_ticks"], late["quantity_lots"] = Side.BUY, 100, 10
    late["time_in_force"] = 1
    amended = command(CommandKind.AMEND, order_id=order, command_id=802, user_id=BUYER)
    amended["price_ticks"] = 60
    for row in (late, amended):
        assert desk.floor.send(PAIR, row, late=True)["outcome"] == Outcome.DONE
    assert desk.has(BUYER, USD) == (FUNDS - 700, 700)
    desk.floor.fence(0)
    desk.floor.flush()
    for ledger in desk.floor.ledgers[0]:
        assert ledger.fenced(PAIR) == ledger.generation == desk.floor.offsets[0]
    assert desk.has(BUYER, USD) == (FUNDS - 500, 500)
    assert desk.buy(1, 20)


def test_what_another_shard_fences_changes_nothing(desk: Desk, order: int) -> None:
    row = command(CommandKind.FENCE, generation=9)
    row["shard"] = 1
    desk.hold(CommandKind.AMEND, order_id=order, price_ticks=60)
    desk.floor.written[PAIR].insert(0, row)
    desk.floor.flush()
    assert desk.floor.ledgers[0][0].fenced(PAIR) == 0
    assert desk.has(BUYER, USD) == (FUNDS - 600, 600)


def test_an_answer_ends_the_amends_before_it_which_never_reached_the_log(desk: Desk) -> None:
    order = desk.buy(20, 10)
    desk.journal(JournalKind.ADJUSTMENT, user_id=BUYER, asset=USD, amount=1_000 - FUNDS)
    lost = command(CommandKind.AMEND, order_id=order, command_id=901, user_id=BUYER)
    lost["price_ticks"], lost["quantity_lots"] = 100, 100
    assert desk.floor.send(PAIR, lost, lost=True)["outcome"] == Outcome.DONE
    assert amend(desk, order, price_ticks=200, quantity_lots=50) == 0
    desk.floor.apply(PAIR)
    desk.floor.settle(PAIR)
    assert desk.has(BUYER, USD) == (0, 1_000)


@pytest.mark.parametrize("price_ticks", [80, 900], ids=["traded", "refused"])
def test_a_trade_and_a_refusal_answer_too(desk: Desk, order: int, price_ticks: int) -> None:
    desk.sell(30, 80)
    desk.hold(user_id=SELLER, side=Side.SELL, quantity_lots=60, price_ticks=50)
    lost = command(CommandKind.AMEND, order_id=order, command_id=901, user_id=BUYER)
    lost["quantity_lots"] = 200
    assert desk.floor.send(PAIR, lost, lost=True)["outcome"] == Outcome.DONE
    amend(desk, order, quantity_lots=100 if price_ticks == 80 else 60, price_ticks=price_ticks)
    desk.floor.apply(PAIR)
    desk.floor.settle(PAIR)
    desk.floor.compare()
    desk.floor.assert_holds_are_what_open_orders_may_cost()


def test_a_release_of_an_amend_ends_no_other(desk: Desk, order: int) -> None:
    amend(desk, order, price_ticks=60)
    late = command(CommandKind.AMEND, order_id=order, command_id=901, user_id=BUYER)
    late["price_ticks"] = 70
    assert desk.floor.hold(PAIR, late)["outcome"] == Outcome.DONE
    desk.floor.release(PAIR, late)
    assert desk.has(BUYER, USD) == (FUNDS - 600, 600)


def test_amends_of_an_order_that_wait_are_bounded(desk: Desk, order: int) -> None:
    for _ in range(MAX_AMENDS):
        amend(desk, order, price_ticks=60)
    more = desk.hold(CommandKind.AMEND, order_id=order, price_ticks=60)
    assert more["outcome"] == Outcome.TOO_MANY_AMENDS
    desk.floor.flush()
    amend(desk, order, price_ticks=70)


def test_what_an_older_generation_stamped_holds_nothing_behind_the_fence(
    desk: Desk, order: int
) -> None:
    desk.floor.fence(0)
    desk.floor.flush()
    amended = command(CommandKind.AMEND, order_id=order, command_id=901, user_id=BUYER)
    amended["price_ticks"] = 60
    placed = command(CommandKind.PLACE, order_id=902, command_id=902, user_id=BUYER, order_type=1)
    placed["side"], placed["price_ticks"], placed["quantity_lots"] = Side.BUY, 9, 9
    for ledger in desk.floor.all_ledgers():
        for row in (amended, placed):
            assert ledger.hold(PAIR, row)["outcome"].tolist() == [Outcome.FENCED]
    assert desk.has(BUYER, USD) == (FUNDS - 500, 500)
