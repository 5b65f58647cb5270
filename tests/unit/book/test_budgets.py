"""Budgets of market orders: what a buy may spend, what a sell may sell (docs/matching.md)."""

import pytest

from actors.book.compiled import CompiledBook
from actors.book.naive import NaiveBook
from actors.book.reasons import Reason
from actors.book.vocabulary import (
    CommandKind,
    EventKind,
    OrderStatus,
    OrderType,
    SelfTradePrevention,
    Side,
    TimeInForce,
)
from tests.unit.book.desk import Desk, market, outcome

CANCELLED, FILLED, REJECTED = OrderStatus.CANCELLED, OrderStatus.FILLED, OrderStatus.REJECTED
NONE, BUDGET_SPENT = Reason.NONE, Reason.BUDGET_SPENT
DECREMENT = SelfTradePrevention.DECREMENT


@pytest.fixture
def asks(desk: Desk) -> Desk:
    """A desk with 10 lots of user 2 at 100 ticks and 10 at 105."""
    desk.sell(1, 10, 100, user_id=2)
    desk.sell(2, 10, 105, user_id=2)
    return desk


@pytest.fixture
def bids(desk: Desk) -> Desk:
    """A desk where user 2 bids for 10 lots at 100 ticks and for 10 at 95."""
    desk.buy(1, 10, 100, user_id=2)
    desk.buy(2, 10, 95, user_id=2)
    return desk


def test_a_buy_that_its_budget_pays_for_is_filled_and_shows_the_budget(asks: Desk) -> None:
    end = asks.at_market(3, Side.BUY, quantity_lots=12, budget=1_210)
    assert outcome(end) == (FILLED, NONE)
    assert (end["filled_lots"], end["notional"], end["budget"]) == (12, 1_210, 1_210)


@pytest.mark.parametrize(
    ("budget", "lots", "spent"),
    [(1_209, 11, 1_105), (1_104, 10, 1_000), (1_000, 10, 1_000), (999, 9, 900), (100, 1, 100)],
)
def test_a_buy_spends_no_more_than_its_budget(
    asks: Desk, budget: int, lots: int, spent: int
) -> None:
    end = asks.at_market(3, Side.BUY, quantity_lots=12, budget=budget)
    assert outcome(end) == (CANCELLED, BUDGET_SPENT)
    assert (end["quantity_lots"], end["filled_lots"], end["notional"]) == (12, lots, spent)


def test_a_budget_that_pays_for_no_lot_at_all_ends_the_order_without_a_trade(asks: Desk) -> None:
    end = asks.at_market(3, Side.BUY, quantity_lots=1, budget=99)
    assert outcome(end) == (CANCELLED, BUDGET_SPENT)
    assert asks.trades == []


def test_a_spent_budget_goes_before_the_protection_price(desk: Desk) -> None:
    desk.sell(1, 1, 100, user_id=2)
    desk.sell(2, 5, 500, user_id=2)
    assert outcome(desk.at_market(3, Side.BUY, quantity_lots=3, budget=599)) == (
        CANCELLED,
        BUDGET_SPENT,
    )
    desk.sell(4, 1, 100, user_id=2)
    assert outcome(desk.at_market(5, Side.BUY, quantity_lots=3, budget=600)) == (
        CANCELLED,
        Reason.PROTECTION_PRICE,
    )


@pytest.mark.parametrize(
    ("budget", "reason"), [(2_050, BUDGET_SPENT), (2_051, Reason.NO_LIQUIDITY)]
)
def test_without_an_opposite_order_only_a_wholly_spent_budget_is_the_reason(
    asks: Desk, budget: int, reason: Reason
) -> None:
    end = asks.at_market(3, Side.BUY, quantity_lots=21, budget=budget)
    assert outcome(end) == (CANCELLED, reason)
    assert end["notional"] == 2_050


@pytest.mark.parametrize(
    ("quote", "budget", "status", "reason", "lots"),
    [
        (1_190, 12, FILLED, NONE, 12),
        (1_190, 20, FILLED, NONE, 12),
        (1_190, 11, CANCELLED, BUDGET_SPENT, 11),
        (1_190, 10, CANCELLED, BUDGET_SPENT, 10),
        (1_190, 4, CANCELLED, BUDGET_SPENT, 4),
        (1_080, 10, FILLED, NONE, 10),
        (99, 5, CANCELLED, Reason.UNFILLED_REMAINDER, 0),
    ],
)
def test_a_sell_by_quote_sells_no_more_lots_than_its_budget(
    bids: Desk, quote: int, budget: int, status: OrderStatus, reason: Reason, lots: int
) -> None:
    end = bids.at_market(3, Side.SELL, quote_units=quote, budget=budget)
    assert outcome(end) == (status, reason)
    assert (end.get("filled_lots", 0), end.get("quantity_lots", 0)) == (lots, lots)
    assert end["budget"] == budget


@pytest.mark.parametrize(("budget", "reason"), [(20, BUDGET_SPENT), (21, Reason.NO_LIQUIDITY)])
def test_a_sell_that_empties_the_book_ends_by_its_budget_only_where_that_is_sold(
    bids: Desk, budget: int, reason: Reason
) -> None:
    end = bids.at_market(3, Side.SELL, quote_units=5_000, budget=budget)
    assert outcome(end) == (CANCELLED, reason)
    assert end["filled_lots"] == 20


@pytest.mark.parametrize(("budget", "status"), [(1_210, FILLED), (1_209, REJECTED)])
def test_a_fill_or_kill_buy_needs_a_budget_for_the_whole(
    asks: Desk, budget: int, status: OrderStatus
) -> None:
    end = asks.at_market(
        3, Side.BUY, quantity_lots=12, budget=budget, time_in_force=TimeInForce.FOK
    )
    reason = NONE if status == FILLED else Reason.NOT_ENOUGH_TO_FILL
    assert outcome(end) == (status, reason)


def test_a_fill_or_kill_buy_pays_nothing_for_own_orders_that_it_passes(desk: Desk) -> None:
    desk.sell(1, 10, 100)
    desk.sell(2, 10, 105, user_id=2)
    end = desk.at_market(
        3,
        Side.BUY,
        quantity_lots=10,
        budget=1_050,
        time_in_force=TimeInForce.FOK,
        self_trade_prevention=SelfTradePrevention.EXPIRE_MAKER,
    )
    assert outcome(end) == (FILLED, NONE)


def test_what_a_decrement_takes_is_spent_of_a_buys_budget(desk: Desk) -> None:
    desk.sell(1, 2, 100)
    desk.sell(2, 5, 105, user_id=2)
    end = desk.at_market(3, Side.BUY, quantity_lots=6, budget=415, self_trade_prevention=DECREMENT)
    assert desk.trades == [(2, 2, 105)]
    assert outcome(end) == (CANCELLED, BUDGET_SPENT)
    assert (end["quantity_lots"], end["filled_lots"]) == (4, 2)


def test_what_a_decrement_takes_is_sold_of_a_sells_budget(desk: Desk) -> None:
    desk.buy(1, 2, 100)
    desk.buy(2, 5, 95, user_id=2)
    end = desk.at_market(3, Side.SELL, quote_units=1_000, budget=5, self_trade_prevention=DECREMENT)
    assert desk.trades == [(2, 3, 95)]
    assert outcome(end) == (CANCELLED, BUDGET_SPENT)
    assert end["filled_lots"] == 3


def test_a_decrement_that_takes_all_that_a_budget_pays_for_ends_the_taker(desk: Desk) -> None:
    desk.sell(1, 5, 100)
    end = desk.at_market(2, Side.BUY, quantity_lots=9, budget=299, self_trade_prevention=DECREMENT)
    assert outcome(end) == (CANCELLED, Reason.SELF_TRADE)
    assert desk.queue(Side.SELL) == [(1, 3, 100)]


MARKET = {"order_type": OrderType.MARKET, "time_in_force": TimeInForce.IOC}
LIMIT = {"order_type": OrderType.LIMIT, "time_in_force": TimeInForce.GTC, "price_ticks": 100}


@pytest.mark.parametrize(
    "fields",
    [
        {**MARKET, "side": Side.BUY, "quote_units": 500, "budget": 500},
        {**MARKET, "side": Side.SELL, "quantity_lots": 5, "budget": 5},
        {**LIMIT, "side": Side.BUY, "quantity_lots": 5, "budget": 500},
        {**LIMIT, "side": Side.SELL, "quantity_lots": 5, "budget": -5},
    ],
    ids=["buy by quote", "sell by quantity", "limit buy", "limit sell"],
)
def test_an_order_that_needs_no_budget_is_malformed_with_one(
    desk: Desk, fields: dict[str, int]
) -> None:
    end = desk.send(CommandKind.PLACE, order_id=1, **fields)[-1]
    assert outcome(end) == (REJECTED, Reason.MALFORMED)
    assert end["budget"] == fields["budget"]


@pytest.mark.parametrize(
    "fields",
    [{"side": Side.BUY, "quantity_lots": 5}, {"side": Side.SELL, "quote_units": 500}],
    ids=["buy by quantity", "sell by quote"],
)
def test_a_negative_budget_is_not_positive(desk: Desk, fields: dict[str, int]) -> None:
    end = desk.send(CommandKind.PLACE, order_id=1, budget=-1, **MARKET, **fields)[-1]
    assert outcome(end) == (REJECTED, Reason.NOT_POSITIVE)


def test_the_largest_budget_bounds_nothing_at_a_markets_limits(
    book_type: type[NaiveBook | CompiledBook],
) -> None:
    desk = Desk(book_type(market(max_price_ticks=2**44, max_quantity_lots=2**18)))
    desk.sell(1, 2**18, 2**44, user_id=2)
    end = desk.at_market(2, Side.BUY, quantity_lots=2**18, budget=2**63 - 1)
    assert outcome(end) == (FILLED, NONE)
    assert end["notional"] == 2**62
    assert desk.events[0]["kind"] == EventKind.TRADE
