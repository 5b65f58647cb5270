"""Price-time priority, worked out by hand: who trades with whom, at what price, who is left."""

import numpy as np
import pytest

from actors.book.compiled import CompiledBook
from actors.book.contract import Book
from actors.book.market import INT64_MAX, Market
from actors.book.naive import NaiveBook
from actors.book.reasons import Reason
from actors.book.records import COMMAND_DTYPE
from actors.book.vocabulary import (
    CommandKind,
    EventKind,
    OrderStatus,
    OrderType,
    Side,
    TimeInForce,
)
from tests.unit.book.desk import Desk, market, outcome

BUY, SELL = Side.BUY, Side.SELL
SIDES = pytest.mark.parametrize(("side", "other"), [(BUY, SELL), (SELL, BUY)])


@SIDES
def test_a_cancelled_level_leaves_no_ghost_best_price(desk: Desk, side: Side, other: Side) -> None:
    better, worse = (101, 100) if side == BUY else (100, 101)
    desk.limit(1, side, 5, better, user_id=1)
    desk.limit(2, side, 5, worse, user_id=1)
    desk.cancel(1)
    desk.limit(3, other, 5, better, user_id=2)
    assert desk.trades == []
    assert [row["price_ticks"] for row in desk.book.depth(9)[0 if side == BUY else 1]] == [worse]
    desk.cancel(2)
    assert len(desk.book.depth(9)[0 if side == BUY else 1]) == 0
    desk.at_market(4, other, quantity_lots=1)
    assert outcome(desk.events[-1]) == (OrderStatus.CANCELLED, Reason.NO_LIQUIDITY)


@pytest.mark.parametrize("gone", [1, 2, 3], ids=["head", "middle", "tail"])
@SIDES
def test_a_cancel_keeps_the_order_of_the_rest_of_the_queue(
    desk: Desk, side: Side, other: Side, gone: int
) -> None:
    for order_id in (1, 2, 3):
        desk.limit(order_id, side, 2, 100)
    desk.cancel(gone)
    left = [order_id for order_id in (1, 2, 3) if order_id != gone]
    assert desk.queue(side) == [(order_id, 2, 100) for order_id in left]
    desk.limit(4, side, 1, 100)
    desk.limit(5, other, 5, 100, user_id=2)
    assert desk.trades == [(left[0], 2, 100), (left[1], 2, 100), (4, 1, 100)]
    assert desk.book.open_orders == 0


@SIDES
def test_the_residual_of_a_sweep_rests_at_its_own_limit_and_is_the_best(
    desk: Desk, side: Side, other: Side
) -> None:
    prices = [100, 101, 102] if side == BUY else [102, 101, 100]
    for order_id, price in enumerate(prices, start=1):
        desk.limit(order_id, other, 2, price, user_id=2)
    end = desk.limit(9, side, 7, prices[1])
    assert desk.trades == [(1, 2, prices[0]), (2, 2, prices[1])]
    assert outcome(end) == (OrderStatus.PARTIALLY_FILLED, Reason.NONE)
    assert (end["filled_lots"], end["notional"]) == (4, 402 if side == BUY else 406)
    assert desk.queue(side) == [(9, 3, prices[1])]
    desk.limit(10, other, 1, prices[1], user_id=3)
    assert desk.trades == [(9, 1, prices[1])]


@SIDES
def test_an_amend_that_crosses_prints_at_the_makers_price(
    desk: Desk, side: Side, other: Side
) -> None:
    own, makers, beyond = (90, 100, 105) if side == BUY else (110, 100, 95)
    desk.limit(1, other, 3, makers, user_id=2)
    desk.limit(2, side, 5, own)
    end = desk.amend(2, price_ticks=beyond)
    assert desk.trades == [(1, 3, 100)]
    assert desk.events[0]["related_order_id"] == 2
    assert outcome(end) == (OrderStatus.PARTIALLY_FILLED, Reason.NONE)
    assert desk.queue(side) == [(2, 2, beyond)]


def test_a_smaller_quantity_keeps_the_place_and_a_larger_one_or_a_price_loses_it(
    desk: Desk,
) -> None:
    for order_id in (1, 2, 3):
        desk.buy(order_id, 5, 100)
    desk.amend(1, quantity_lots=4)
    assert [row[0] for row in desk.queue(BUY)] == [1, 2, 3]
    desk.amend(1, quantity_lots=6)
    assert [row[0] for row in desk.queue(BUY)] == [2, 3, 1]
    desk.amend(2, price_ticks=99)
    desk.amend(2, price_ticks=100)
    assert [row[0] for row in desk.queue(BUY)] == [3, 1, 2]


def test_an_amend_may_fill_the_order_and_free_its_id(desk: Desk) -> None:
    desk.sell(1, 5, 100, user_id=2)
    desk.buy(2, 5, 99)
    assert outcome(desk.amend(2, price_ticks=100)) == (OrderStatus.FILLED, Reason.NONE)
    assert desk.book.open_orders == 0
    assert outcome(desk.buy(2, 1, 100)) == (OrderStatus.OPEN, Reason.NONE)


def test_the_same_orders_come_and_go_at_hundreds_of_prices_in_order(
    book_type: type[NaiveBook | CompiledBook],
) -> None:
    desk = Desk(book_type(market()))
    prices = np.random.default_rng(5).permutation(np.arange(1, 401)).tolist()
    for order_id, price in enumerate(prices, start=1):
        desk.buy(order_id, 1, price)
    gone = set(prices[::3])
    for order_id in range(1, 401, 3):
        desk.cancel(order_id)
    left = sorted(set(prices) - gone, reverse=True)
    assert [row["price_ticks"] for row in desk.book.depth(1_000)[0]] == left
    end = desk.sell(999, len(left), 1, user_id=2)
    assert [price for _, _, price in desk.trades] == left
    assert outcome(end) == (OrderStatus.FILLED, Reason.NONE)


@SIDES
def test_one_taker_sweeps_5000_makers_at_1250_prices(
    book_type: type[NaiveBook | CompiledBook], wide_market: Market, side: Side, other: Side
) -> None:
    book: Book = book_type(wide_market)
    makers = np.zeros(5_000, COMMAND_DTYPE)
    makers["kind"] = CommandKind.PLACE
    makers["side"] = other
    makers["order_type"] = OrderType.LIMIT
    makers["time_in_force"] = TimeInForce.GTC
    makers["order_id"] = np.arange(1, 5_001)
    makers["user_id"] = 2
    steps = np.arange(5_000) // 4
    makers["price_ticks"] = 100_000 + (steps if side == BUY else -steps)
    makers["quantity_lots"] = 1 + np.arange(5_000) % 7
    book.apply(makers)
    taker = makers[:1].copy()
    total = int(makers["quantity_lots"].sum())
    taker["order_id"], taker["user_id"], taker["side"] = 9_999, 1, side
    taker["price_ticks"], taker["quantity_lots"] = (
        100_000 + (2_000 if side == BUY else -2_000),
        total,
    )
    applied = book.apply(taker)
    trades = applied.events[:-1]
    assert (trades["kind"] == EventKind.TRADE).all()
    assert trades["order_id"].tolist() == makers["order_id"].tolist()
    assert trades["trade_id"].tolist() == list(range(1, 5_001))
    assert trades["sequence"].tolist() == list(range(5_001, 10_001))
    assert int(applied.events[-1]["status"]) == OrderStatus.FILLED
    assert int(applied.events[-1]["notional"]) == int(
        (makers["price_ticks"] * makers["quantity_lots"]).sum()
    )
    assert len(applied.levels) == 1_250
    assert not applied.levels["order_count"].any()
    assert book.open_orders == 0


@pytest.mark.parametrize("max_price", [1, 2**31, INT64_MAX // 20_000])
def test_prices_and_quantities_at_the_ends_of_the_range_match_exactly(
    book_type: type[NaiveBook | CompiledBook], max_price: int
) -> None:
    max_quantity = INT64_MAX // max_price
    desk = Desk(book_type(market(max_price_ticks=max_price, max_quantity_lots=max_quantity)))
    desk.sell(1, max_quantity, max_price, user_id=2)
    end = desk.buy(2, max_quantity, max_price)
    assert outcome(end) == (OrderStatus.FILLED, Reason.NONE)
    assert end["notional"] == max_price * max_quantity
    desk.sell(3, max_quantity, max_price, user_id=2)
    end = desk.at_market(4, BUY, quote_units=max_price * max_quantity)
    assert outcome(end) == (OrderStatus.FILLED, Reason.NONE)
    assert end["filled_lots"] == max_quantity
    beyond = [(max_quantity, max_price + 1), (1, INT64_MAX), (INT64_MAX, INT64_MAX)]
    if max_quantity < INT64_MAX:
        beyond += [(max_quantity + 1, max_price), (INT64_MAX, 1)]
    for quantity, price in beyond:
        end = desk.buy(9, quantity, price)
        assert outcome(end) == (OrderStatus.REJECTED, Reason.ABOVE_MAXIMUM)
    assert desk.book.open_orders == 0


def test_the_lowest_and_the_highest_price_are_two_levels_of_one_book(desk: Desk) -> None:
    desk.buy(1, 1, 1)
    desk.sell(2, 1, 10_000)
    assert desk.queue(BUY) == [(1, 1, 1)]
    assert desk.queue(SELL) == [(2, 1, 10_000)]
    desk.at_market(3, BUY, quantity_lots=2, user_id=2)
    assert desk.trades == [(2, 1, 10_000)]
    desk.at_market(4, SELL, quantity_lots=2, user_id=2)
    assert desk.trades == [(1, 1, 1)]
    assert outcome(desk.events[-1]) == (OrderStatus.CANCELLED, Reason.NO_LIQUIDITY)


def test_a_market_order_ends_at_its_protection_price(desk: Desk) -> None:
    for order_id, price in enumerate((100, 110, 111), start=1):
        desk.sell(order_id, 1, price, user_id=2)
    end = desk.at_market(9, BUY, quantity_lots=3)
    assert [price for _, _, price in desk.trades] == [100, 110]
    assert outcome(end) == (OrderStatus.CANCELLED, Reason.PROTECTION_PRICE)
    for order_id, price in enumerate((90, 81, 80), start=11):
        desk.buy(order_id, 1, price, user_id=2)
    end = desk.at_market(19, SELL, quote_units=10_000)
    assert [price for _, _, price in desk.trades] == [90, 81]
    assert outcome(end) == (OrderStatus.CANCELLED, Reason.PROTECTION_PRICE)
    assert (end["quantity_lots"], end["filled_lots"], end["notional"]) == (2, 2, 171)
