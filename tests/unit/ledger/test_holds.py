"""What orders hold and give back, worked out by hand."""

from typing import Any

import pytest

from actors.book.vocabulary import (
    CommandKind,
    OrderType,
    SelfTradePrevention,
    Side,
    TimeInForce,
)
from actors.ledger.vocabulary import JournalKind, Outcome
from tests.property.ledger_floor import command
from tests.unit.ledger.desk import BTC, BUYER, FUNDS, PAIR, SELLER, STRANGER, USD, Desk

AT_MARKET: dict[str, Any] = {
    "order_type": OrderType.MARKET,
    "time_in_force": TimeInForce.IOC,
    "price_ticks": 0,
}


@pytest.fixture
def desk() -> Desk:
    return Desk()


def test_a_buy_holds_its_cost_rounded_up_and_a_sell_its_lots(desk: Desk) -> None:
    desk.buy(7, 101)
    assert desk.has(BUYER, USD) == (FUNDS - 71, 71)
    desk.sell(5, 300)
    assert desk.has(SELLER, BTC) == (FUNDS - 50, 50)


def test_a_fill_at_a_better_price_gives_the_difference_back(desk: Desk) -> None:
    desk.sell(10, 100)
    desk.buy(10, 200)
    assert desk.has(BUYER, USD) == (FUNDS - 100, 0)
    assert desk.has(BUYER, BTC) == (FUNDS + 100, 0)
    assert desk.has(SELLER, USD) == (FUNDS + 100, 0)
    assert desk.has(SELLER, BTC) == (FUNDS - 100, 0)


def test_what_remains_of_a_filled_order_stays_held(desk: Desk) -> None:
    desk.sell(4, 100)
    desk.buy(10, 150)
    assert desk.has(BUYER, USD) == (FUNDS - 40 - 90, 90)


@pytest.mark.parametrize("kind", [CommandKind.CANCEL, CommandKind.CANCEL_ALL])
def test_a_cancelled_order_gives_all_back(desk: Desk, kind: CommandKind) -> None:
    order_id = desk.buy(10, 150)
    desk.send(kind, order_id=order_id)
    assert desk.has(BUYER, USD) == (FUNDS, 0)


def test_an_order_that_expires_gives_all_back(desk: Desk) -> None:
    desk.buy(10, 150, time_in_force=TimeInForce.GTD, expires_us=50)
    assert desk.has(BUYER, USD) == (FUNDS - 150, 150)
    desk.floor.written[PAIR].append(command(CommandKind.CLOCK, time_us=50))
    desk.floor.flush()
    assert desk.has(BUYER, USD) == (FUNDS, 0)


@pytest.mark.parametrize(
    "fields",
    [
        {"time_in_force": TimeInForce.IOC},
        {"time_in_force": TimeInForce.FOK},
        {"flags": 1, "price_ticks": 1_000},
        {"client_order_id": 7},
        {"quantity_lots": 1, "price_ticks": 1},
    ],
    ids=["unfilled", "not enough", "would cross", "known client order id", "too small"],
)
def test_an_order_that_the_book_ends_at_once_gives_all_back(
    desk: Desk, fields: dict[str, Any]
) -> None:
    desk.sell(1, 1_000)
    desk.buy(2, 20, client_order_id=7)
    before = desk.has(BUYER, USD)
    desk.send(**({"side": Side.BUY, "quantity_lots": 10, "price_ticks": 150} | fields))
    assert desk.has(BUYER, USD) == before


def test_a_repeated_command_does_not_give_back_what_its_order_holds(desk: Desk) -> None:
    order_id = desk.buy(10, 150, command_id=77)
    again = command(CommandKind.PLACE, command_id=77, order_id=order_id, user_id=BUYER)
    desk.floor.written[PAIR].append(again)
    desk.floor.flush()
    assert desk.has(BUYER, USD) == (FUNDS - 150, 150)


@pytest.mark.parametrize("prevention", SelfTradePrevention)
def test_no_self_trade_prevention_keeps_anything_held_that_does_not_rest(
    desk: Desk, prevention: SelfTradePrevention
) -> None:
    desk.sell(10, 100, user_id=BUYER)
    desk.sell(4, 100)
    desk.buy(12, 110, self_trade_prevention=prevention)
    desk.send(CommandKind.CANCEL_ALL)
    assert [desk.has(BUYER, asset)[1] for asset in (BTC, USD)] == [0, 0]


def test_market_orders_hold_quote_lots_or_their_budget(desk: Desk) -> None:
    hold: dict[str, Any] = {"side": Side.BUY, **AT_MARKET}
    assert desk.hold(**hold, quote_units=1_005)["needed"] == 101
    assert desk.hold(**hold, quantity_lots=5, budget=2_001)["needed"] == 201
    hold["side"] = Side.SELL
    assert desk.hold(**hold, quantity_lots=5)["needed"] == 50
    assert desk.hold(**hold, quote_units=1_005, budget=6)["needed"] == 60


def test_a_market_buy_never_spends_more_than_its_budget(desk: Desk) -> None:
    desk.sell(10, 100)
    desk.sell(10, 105)
    desk.send(side=Side.BUY, **AT_MARKET, quantity_lots=20, budget=1_300)
    assert desk.has(BUYER, USD) == (FUNDS - 100 - 21, 0)
    assert desk.has(BUYER, BTC) == (FUNDS + 120, 0)


@pytest.mark.parametrize(
    "fields",
    [
        {"quantity_lots": 5},
        {"quantity_lots": 5, "quote_units": 5, "budget": 9},
        {"quote_units": 500, "budget": 9},
        {"quantity_lots": 5, "price_ticks": 9, "budget": 9},
        {"quantity_lots": 5, "budget": -1},
        {"order_type": OrderType.LIMIT, "quantity_lots": 201, "price_ticks": 9},
        {"order_type": OrderType.LIMIT, "quantity_lots": 9, "price_ticks": 1_001},
        {"order_type": OrderType.LIMIT, "quantity_lots": 9},
        {"order_type": 9, "quantity_lots": 9, "price_ticks": 9},
        {"side": 3, "quantity_lots": 5, "budget": 9},
        {"order_id": 0, "quantity_lots": 5, "budget": 9},
    ],
)
def test_an_order_whose_cost_has_no_bound_is_malformed(desk: Desk, fields: dict[str, Any]) -> None:
    result = desk.hold(**({"side": Side.BUY} | AT_MARKET | fields))
    assert result["outcome"] == Outcome.MALFORMED


def test_what_is_not_there_is_told_with_what_it_takes(desk: Desk) -> None:
    desk.buy(200, 1_000)
    desk.journal(JournalKind.ADJUSTMENT, user_id=BUYER, asset=USD, amount=-979_999)
    result = desk.hold(side=Side.BUY, quantity_lots=2, price_ticks=9)
    names = ("outcome", "asset", "needed", "available")
    assert [int(result[name]) for name in names] == [Outcome.INSUFFICIENT, USD, 2, 1]
    assert desk.has(BUYER, USD) == (1, 20_000)


def test_orders_of_a_batch_are_held_one_after_the_other(desk: Desk) -> None:
    rows = command(CommandKind.PLACE, side=Side.SELL, order_type=OrderType.LIMIT, user_id=SELLER)
    rows = rows.repeat(3)
    rows["order_id"], rows["price_ticks"], rows["quantity_lots"] = (901, 902, 903), 9, 100
    desk.journal(JournalKind.ADJUSTMENT, user_id=SELLER, asset=BTC, amount=2_500 - FUNDS)
    for ledger in desk.floor.ledgers[0]:
        outcomes = ledger.hold(PAIR, rows)["outcome"].tolist()
        assert outcomes == [Outcome.DONE, Outcome.DONE, Outcome.INSUFFICIENT]


def test_only_cancels_are_taken_of_a_frozen_account(desk: Desk) -> None:
    order_id = desk.buy(10, 150)
    desk.journal(JournalKind.FREEZE, user_id=BUYER)
    assert desk.hold(side=Side.BUY, quantity_lots=1, price_ticks=99)["outcome"] == Outcome.FROZEN
    amend = desk.hold(CommandKind.AMEND, order_id=order_id, price_ticks=1)
    assert amend["outcome"] == Outcome.FROZEN
    desk.send(CommandKind.CANCEL, order_id=order_id)
    desk.journal(JournalKind.UNFREEZE, user_id=BUYER)
    desk.buy(10, 150)


def test_strangers_are_refused(desk: Desk) -> None:
    fields: dict[str, Any] = {"side": Side.BUY, "quantity_lots": 1, "price_ticks": 99}
    fields["user_id"] = STRANGER
    assert desk.hold(**fields)["outcome"] == Outcome.UNKNOWN_ACCOUNT
    assert desk.hold(CommandKind.CANCEL, user_id=STRANGER)["outcome"] == Outcome.UNKNOWN_ACCOUNT


def test_an_order_holds_once(desk: Desk) -> None:
    order_id = desk.buy(10, 150)
    again = desk.hold(side=Side.BUY, quantity_lots=10, price_ticks=150, order_id=order_id)
    assert again["outcome"] == Outcome.DUPLICATE
    assert desk.has(BUYER, USD) == (FUNDS - 150, 150)
