"""The flow of a pair without a capture: a book at the start, then orders, trades and cancels."""

import numpy as np
import pytest

from actors.book.compiled import CompiledBook
from actors.book.market import Market
from actors.book.records import RecordArray
from actors.book.vocabulary import EventKind, OrderStatus, Side
from cluster.markets import default_topology
from cluster.tools.replay.living import living_flow
from cluster.tools.replay.mapping import Flow

MARKETS = list(default_topology())
MID_TICKS = 2_500


def events_of(market: Market, flow: Flow) -> tuple[RecordArray, RecordArray]:
    """Return what the book answers to the seeds, and to the rest."""
    commands = flow.commands.copy()
    commands["command_id"] = np.arange(1, len(commands) + 1)
    commands["time_us"] = 1 + flow.time_ms * 1_000
    book = CompiledBook(market)
    begun, gone_on = (
        book.apply(part).events for part in (commands[: flow.seeds], commands[flow.seeds :])
    )
    return begun, gone_on


@pytest.mark.parametrize("market", MARKETS, ids=lambda market: market.pair)
def test_a_market_begins_with_two_sides_and_then_trades(market: Market) -> None:
    begun, gone_on = events_of(market, living_flow(market, mid_ticks=MID_TICKS, seed=3))
    assert set(begun["kind"].tolist()) == {EventKind.ORDER}
    assert set(begun["side"].tolist()) == {Side.BUY, Side.SELL}
    orders = np.concatenate([begun, gone_on])
    assert not np.any(orders["status"] == OrderStatus.REJECTED)
    trades = gone_on[gone_on["kind"] == EventKind.TRADE]
    assert len(trades) > 100
    assert np.all(np.abs(trades["price_ticks"] - MID_TICKS) < MID_TICKS // 10)


def test_the_flow_goes_on_for_twenty_minutes_in_the_order_of_its_clock() -> None:
    flow = living_flow(MARKETS[1], mid_ticks=MID_TICKS, seed=3)
    assert len(flow.time_ms) == len(flow.commands)
    assert np.all(np.diff(flow.time_ms) >= 0)
    assert not flow.time_ms[: flow.seeds].any()
    assert 18 * 60_000 < flow.time_ms[-1] < 22 * 60_000


def test_no_command_names_an_order_that_was_never_placed() -> None:
    flow = living_flow(MARKETS[1], mid_ticks=MID_TICKS, seed=3)
    placed: set[int] = set()
    for kind, order_id in zip(
        flow.commands["kind"].tolist(), flow.commands["order_id"].tolist(), strict=True
    ):
        assert kind == 1 or order_id in placed
        placed.add(order_id)


def test_the_same_seed_makes_the_same_flow() -> None:
    one, other = (living_flow(MARKETS[1], mid_ticks=MID_TICKS, seed=8) for _ in range(2))
    assert one.commands.tobytes() == other.commands.tobytes()
