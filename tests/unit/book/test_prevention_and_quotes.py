"""Rules that two authors might read differently, worked out by hand from docs/matching.md."""

import pytest

from actors.book.compiled import CompiledBook
from actors.book.naive import NaiveBook
from actors.book.reasons import Reason
from actors.book.vocabulary import (
    CommandKind,
    OrderStatus,
    SelfTradePrevention,
    Side,
    TimeInForce,
)
from tests.unit.book.desk import Desk, market, outcome, refusal

CANCELLED, FILLED, REJECTED = OrderStatus.CANCELLED, OrderStatus.FILLED, OrderStatus.REJECTED
EMPTY_HASH = 0xCBD37AD29B93B094
SMALL_HASH = 0xECA848BEC8926651


@pytest.fixture(params=[NaiveBook, CompiledBook])
def desk(request: pytest.FixtureRequest) -> Desk:
    return Desk(request.param(market()))


def test_a_decrement_takes_the_smaller_quantity_from_both_and_prints_no_trade(desk: Desk) -> None:
    desk.sell(1, 10, 100)
    end = desk.buy(2, 4, 100, self_trade_prevention=SelfTradePrevention.DECREMENT)
    assert outcome(end) == (CANCELLED, Reason.SELF_TRADE)
    assert "quantity_lots" not in end
    assert outcome(desk.events[0]) == (OrderStatus.OPEN, Reason.SELF_TRADE)
    assert desk.queue(Side.SELL) == [(1, 6, 100)]
    assert desk.trades == []


def test_a_decremented_taker_goes_on_with_what_is_left_of_it(desk: Desk) -> None:
    desk.sell(1, 3, 100)
    desk.sell(2, 9, 101, user_id=2)
    end = desk.buy(3, 10, 101, self_trade_prevention=SelfTradePrevention.DECREMENT)
    assert desk.trades == [(2, 7, 101)]
    assert outcome(end) == (FILLED, Reason.NONE)
    assert (end["quantity_lots"], end["filled_lots"]) == (7, 7)
    assert outcome(desk.events[0]) == (CANCELLED, Reason.SELF_TRADE)


def test_a_decremented_quote_is_spent_at_the_own_makers_price(desk: Desk) -> None:
    desk.sell(1, 2, 100)
    desk.sell(2, 5, 105, user_id=2)
    end = desk.at_market(
        3, Side.BUY, quote_units=415, self_trade_prevention=SelfTradePrevention.DECREMENT
    )
    assert desk.trades == [(2, 2, 105)]
    assert outcome(end) == (FILLED, Reason.NONE)
    assert (end["quantity_lots"], end["notional"]) == (2, 210)


def test_expire_maker_passes_the_own_order_and_expire_both_ends_both(desk: Desk) -> None:
    desk.sell(1, 2, 100)
    desk.sell(2, 2, 101)
    desk.sell(3, 2, 101, user_id=2)
    end = desk.buy(4, 2, 100, self_trade_prevention=SelfTradePrevention.EXPIRE_MAKER)
    assert outcome(end) == (OrderStatus.OPEN, Reason.NONE)
    end = desk.buy(5, 2, 101, self_trade_prevention=SelfTradePrevention.EXPIRE_BOTH)
    assert outcome(end) == (CANCELLED, Reason.SELF_TRADE)
    assert desk.queue(Side.SELL) == [(3, 2, 101)]
    assert desk.queue(Side.BUY) == [(4, 2, 100)]


def test_expire_taker_keeps_the_fills_it_had_and_leaves_the_own_order(desk: Desk) -> None:
    desk.sell(1, 2, 100, user_id=2)
    desk.sell(2, 2, 100)
    end = desk.buy(3, 5, 100, self_trade_prevention=SelfTradePrevention.EXPIRE_TAKER)
    assert outcome(end) == (CANCELLED, Reason.SELF_TRADE)
    assert end["filled_lots"] == 2
    assert desk.queue(Side.SELL) == [(2, 2, 100)]


@pytest.mark.parametrize(
    ("prevention", "ends"),
    [
        (SelfTradePrevention.NONE, (FILLED, Reason.NONE)),
        (SelfTradePrevention.EXPIRE_MAKER, (FILLED, Reason.NONE)),
        (SelfTradePrevention.EXPIRE_TAKER, (REJECTED, Reason.NOT_ENOUGH_TO_FILL)),
        (SelfTradePrevention.EXPIRE_BOTH, (REJECTED, Reason.NOT_ENOUGH_TO_FILL)),
        (SelfTradePrevention.DECREMENT, (REJECTED, Reason.NOT_ENOUGH_TO_FILL)),
    ],
)
def test_fill_or_kill_counts_what_its_prevention_lets_it_reach(
    desk: Desk, prevention: SelfTradePrevention, ends: tuple[OrderStatus, Reason]
) -> None:
    desk.sell(1, 5, 100)
    desk.sell(2, 8, 101, user_id=2)
    end = desk.buy(3, 8, 101, time_in_force=TimeInForce.FOK, self_trade_prevention=prevention)
    assert outcome(end) == ends


def test_a_quote_that_cannot_buy_one_more_lot_is_filled_and_one_that_bought_none_is_not(
    desk: Desk,
) -> None:
    desk.sell(1, 5, 100, user_id=2)
    end = desk.at_market(2, Side.BUY, quote_units=250)
    assert outcome(end) == (FILLED, Reason.NONE)
    assert (end["quantity_lots"], end["filled_lots"], end["notional"]) == (2, 2, 200)
    end = desk.at_market(3, Side.BUY, quote_units=99)
    assert outcome(end) == (CANCELLED, Reason.UNFILLED_REMAINDER)
    assert "quantity_lots" not in end


def test_a_quote_left_over_when_the_book_is_empty_ends_for_want_of_liquidity(desk: Desk) -> None:
    desk.sell(1, 1, 100, user_id=2)
    assert outcome(desk.at_market(2, Side.BUY, quote_units=150)) == (
        CANCELLED,
        Reason.NO_LIQUIDITY,
    )
    desk.sell(3, 1, 100, user_id=2)
    assert outcome(desk.at_market(4, Side.BUY, quote_units=100)) == (FILLED, Reason.NONE)


def test_a_quote_too_small_for_the_next_price_is_filled_though_it_lies_beyond_protection(
    desk: Desk,
) -> None:
    desk.sell(1, 1, 100, user_id=2)
    desk.sell(2, 1, 200, user_id=2)
    assert outcome(desk.at_market(3, Side.BUY, quote_units=299)) == (FILLED, Reason.NONE)
    desk.sell(4, 1, 100, user_id=2)
    assert outcome(desk.at_market(5, Side.BUY, quote_units=300)) == (
        CANCELLED,
        Reason.PROTECTION_PRICE,
    )


def test_selling_by_quote_goes_on_at_a_lower_price_that_a_whole_lot_still_reaches(
    desk: Desk,
) -> None:
    desk.buy(1, 1, 100, user_id=2)
    desk.buy(2, 9, 90, user_id=2)
    end = desk.at_market(3, Side.SELL, quote_units=195)
    assert desk.trades == [(1, 1, 100), (2, 1, 90)]
    assert outcome(end) == (FILLED, Reason.NONE)


def test_protection_is_a_tenth_of_the_best_price_rounded_down(desk: Desk) -> None:
    for order_id, price in ((1, 105), (2, 115), (3, 116)):
        desk.sell(order_id, 1, price, user_id=2)
    end = desk.at_market(4, Side.BUY, quantity_lots=3)
    assert desk.trades == [(1, 1, 105), (2, 1, 115)]
    assert outcome(end) == (CANCELLED, Reason.PROTECTION_PRICE)


def test_a_market_order_killed_in_an_empty_book_says_not_enough_and_ioc_no_liquidity(
    desk: Desk,
) -> None:
    end = desk.at_market(1, Side.BUY, quantity_lots=1, time_in_force=TimeInForce.FOK)
    assert outcome(end) == (REJECTED, Reason.NOT_ENOUGH_TO_FILL)
    assert outcome(desk.at_market(2, Side.BUY, quantity_lots=1)) == (
        CANCELLED,
        Reason.NO_LIQUIDITY,
    )


def test_a_client_order_id_is_forgotten_after_as_many_later_ends_as_the_market_remembers(
    desk: Desk,
) -> None:
    desk.buy(1, 1, 50, client_order_id="a")
    assert desk.buy(2, 1, 50, client_order_id="a")["related_order_id"] == 1
    desk.cancel(1)
    desk.buy(3, 0, 50, client_order_id="b")
    again = desk.buy(4, 1, 50, client_order_id="a")
    assert outcome(again) == (REJECTED, Reason.DUPLICATE_CLIENT_ORDER_ID)
    assert again["related_order_id"] == 1
    desk.buy(5, 0, 50, client_order_id="c")
    assert outcome(desk.buy(6, 1, 50, client_order_id="a")) == (OrderStatus.OPEN, Reason.NONE)
    assert outcome(desk.buy(7, 1, 50, client_order_id="a", user_id=2))[0] == OrderStatus.OPEN


def test_a_malformed_order_and_a_duplicate_take_no_client_order_id(desk: Desk) -> None:
    desk.buy(1, 1, 50, client_order_id="a", time_in_force=9)
    assert outcome(desk.buy(1, 1, 50, client_order_id="a"))[0] == OrderStatus.OPEN
    desk.buy(2, 1, 50, client_order_id="a")
    desk.cancel(1)
    assert desk.buy(3, 1, 50, client_order_id="a")["related_order_id"] == 1


def test_the_first_failing_check_of_an_amend_decides(desk: Desk) -> None:
    desk.buy(1, 10, 50)
    desk.sell(2, 4, 50, user_id=2)
    assert refusal(desk.amend(9, quantity_lots=1)) == Reason.UNKNOWN_ORDER
    assert refusal(desk.amend(1, quantity_lots=1, user_id=2)) == Reason.NOT_OWNER
    assert refusal(desk.amend(1)) == Reason.MALFORMED
    assert refusal(desk.amend(1, quantity_lots=-1, price_ticks=60_000)) == Reason.MALFORMED
    assert refusal(desk.amend(1, quantity_lots=1, price_ticks=60_000)) == Reason.ABOVE_MAXIMUM
    assert refusal(desk.amend(1, quantity_lots=4)) == Reason.QUANTITY_BELOW_FILLED
    desk.send(CommandKind.HALT)
    assert refusal(desk.amend(9)) == Reason.HALTED
    desk.send(CommandKind.RESUME)
    assert desk.amend(1, quantity_lots=5, user_id=0)["quantity_lots"] == 5


def test_cancel_all_removes_in_the_order_in_which_orders_last_came_to_rest(desk: Desk) -> None:
    for order_id, price in ((1, 50), (2, 51), (3, 52)):
        desk.buy(order_id, 5, price)
    desk.sell(4, 5, 90)
    desk.amend(1, quantity_lots=6)
    desk.amend(2, quantity_lots=4)
    events = desk.send(CommandKind.CANCEL_ALL, side=Side.BUY)
    assert [event.get("order_id") for event in events] == [2, 3, 1, None]
    assert events[-1]["quantity_lots"] == 3
    assert desk.queue(Side.SELL) == [(4, 5, 90)]


def test_orders_expire_by_time_and_then_by_id_before_the_command_that_brings_the_time(
    desk: Desk,
) -> None:
    gtd = {"time_in_force": TimeInForce.GTD}
    desk.buy(7, 1, 50, expires_us=20, **gtd)
    desk.buy(5, 1, 51, expires_us=20, **gtd)
    desk.buy(6, 1, 52, expires_us=10, **gtd)
    assert desk.book.next_expiry_us() == 10
    events = desk.send(CommandKind.CANCEL, order_id=5, time_us=20)
    assert [event["order_id"] for event in events] == [6, 5, 7, 5]
    assert [event.get("command_id") for event in events] == [None, None, None, 4]
    assert refusal(events[-1]) == Reason.UNKNOWN_ORDER
    assert outcome(desk.buy(8, 1, 50, expires_us=20, **gtd)) == (REJECTED, Reason.EXPIRED)


def test_the_state_hash_of_an_empty_and_of_a_small_book_is_pinned(desk: Desk) -> None:
    assert desk.book.state_hash() == EMPTY_HASH
    desk.buy(1, 5, 100, time_us=1_000, client_order_id="first")
    desk.sell(2, 2, 100, user_id=2, client_order_id="second")
    desk.sell(3, 2, 120, user_id=2, time_in_force=TimeInForce.GTD, expires_us=9_000)
    assert desk.book.state_hash() == SMALL_HASH
