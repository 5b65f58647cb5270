"""Levels keep their order wherever the window around the market stands and whenever it moves."""

from itertools import pairwise

import numpy as np
import pytest

from actors.book.kernel.layout import S_WINDOW, WINDOW_TICKS
from actors.book.market import Market
from actors.book.records import COMMAND_DTYPE, RecordArray
from actors.book.vocabulary import CommandKind, OrderType, Side, TimeInForce
from tests.property.twins import Twins

MARKET_TICKS = 1_000_000
LOWEST_TICKS = MARKET_TICKS - WINDOW_TICKS // 2
EDGES = [edge + aside for edge in (LOWEST_TICKS, LOWEST_TICKS + WINDOW_TICKS) for aside in (-1, 0)]
PLACES = [1, 63, 64, *EDGES, MARKET_TICKS - 65, MARKET_TICKS + 65, 10**8, 10**9]


class Trader:
    """One who places orders in both books and may take them back."""

    def __init__(self, market: Market) -> None:
        self.twins = Twins(market)
        self.next_id = 1
        self.open: list[int] = []

    def place(self, prices: list[int], *, lots: int = 1) -> RecordArray:
        """Bid below the market's first price and offer from there on, in one batch."""
        commands = self._commands(CommandKind.PLACE, len(prices))
        commands["side"] = np.where(np.array(prices) < MARKET_TICKS, Side.BUY, Side.SELL)
        commands["order_type"] = OrderType.LIMIT
        commands["time_in_force"] = TimeInForce.GTC
        commands["price_ticks"] = prices
        commands["quantity_lots"] = lots
        commands["order_id"] = np.arange(self.next_id, self.next_id + len(prices))
        self.next_id += len(prices)
        self.open += commands["order_id"].tolist()
        return self._apply(commands)

    def cancel(self, order_ids: list[int]) -> RecordArray:
        commands = self._commands(CommandKind.CANCEL, len(order_ids))
        commands["order_id"] = order_ids
        self.open = [order_id for order_id in self.open if order_id not in order_ids]
        return self._apply(commands)

    def _commands(self, kind: CommandKind, count: int) -> RecordArray:
        commands = np.zeros(count, COMMAND_DTYPE)
        commands["kind"] = kind
        commands["user_id"] = 1
        return commands

    def _apply(self, commands: RecordArray) -> RecordArray:
        levels = self.twins.apply(commands).levels
        self.twins.compare()
        return levels


@pytest.fixture
def trader(wide_market: Market) -> Trader:
    """A trader in a market that stands at MARKET_TICKS."""
    trader = Trader(wide_market)
    trader.place([MARKET_TICKS - 1, MARKET_TICKS])
    return trader


def test_levels_at_the_edges_of_the_window_and_beyond_stand_in_order(trader: Trader) -> None:
    levels = trader.place(PLACES)
    assert sorted(levels["price_ticks"].tolist()) == sorted(PLACES)
    trader.place(PLACES)
    trader.cancel(trader.open[2::2])
    trader.place(PLACES[::-1])
    levels = trader.cancel(trader.open[2:])
    assert sorted(levels["price_ticks"].tolist()) == sorted(PLACES)
    assert not levels["order_count"].any()


def test_levels_that_come_and_go_in_one_batch_are_told_once_inside_and_outside(
    trader: Trader,
) -> None:
    commands = np.zeros(3 * len(PLACES), COMMAND_DTYPE)
    commands["kind"] = np.tile([CommandKind.PLACE, CommandKind.CANCEL, CommandKind.PLACE], 12)[
        : len(commands)
    ]
    prices = np.repeat(PLACES, 3)
    commands["side"] = np.where(prices < MARKET_TICKS, Side.BUY, Side.SELL)
    commands["order_type"], commands["time_in_force"] = OrderType.LIMIT, TimeInForce.GTC
    commands["price_ticks"], commands["quantity_lots"], commands["user_id"] = prices, 1, 1
    commands["order_id"] = 100 + np.arange(len(commands)) // 3
    levels = trader.twins.apply(commands).levels
    trader.twins.compare()
    assert levels["order_count"].tolist() == [1] * len(PLACES)


@pytest.mark.parametrize("stride", [WINDOW_TICKS // 4 + 1, WINDOW_TICKS, 10 * WINDOW_TICKS])
def test_a_market_that_wanders_takes_the_window_along(trader: Trader, stride: int) -> None:
    trader.place(PLACES)
    state = trader.twins.compiled._arrays.state
    before = int(state[S_WINDOW])
    for first, last in pairwise(range(MARKET_TICKS + 1, MARKET_TICKS + 12 * stride, stride)):
        trader.place(np.linspace(first, last, 40).astype(int).tolist())
        trader.cancel(trader.open[-79:-41])
        trader.twins.apply(_sweep(trader, limit=first))
        trader.twins.compare()
    assert int(state[S_WINDOW]) > before
    trader.cancel(trader.open)
    assert trader.twins.naive.open_orders == 0


def _sweep(trader: Trader, *, limit: int) -> RecordArray:
    """Return an order that buys whatever is offered up to a price."""
    commands = np.zeros(1, COMMAND_DTYPE)
    commands["kind"], commands["side"] = CommandKind.PLACE, Side.BUY
    commands["order_type"], commands["time_in_force"] = OrderType.LIMIT, TimeInForce.IOC
    commands["order_id"], commands["user_id"] = trader.next_id, 2
    commands["price_ticks"], commands["quantity_lots"] = limit, 10**6
    trader.next_id += 1
    return commands


def test_the_worst_level_of_a_side_is_found_from_the_best_through_three_regions(
    trader: Trader,
) -> None:
    trader.place(PLACES)
    fill = np.zeros(1, COMMAND_DTYPE)
    fill["kind"], fill["order_type"], fill["time_in_force"] = (
        CommandKind.PLACE,
        OrderType.LIMIT,
        TimeInForce.FOK,
    )
    fill["user_id"], fill["price_ticks"] = 2, 1
    bids = sum(price < MARKET_TICKS for price in PLACES) + 1
    for order_id, lots in ((900, bids + 1), (901, bids)):
        fill["side"], fill["order_id"], fill["quantity_lots"] = Side.SELL, order_id, lots
        trader.twins.apply(fill)
    trader.twins.compare()
    assert trader.twins.naive.last_trade_id == bids
