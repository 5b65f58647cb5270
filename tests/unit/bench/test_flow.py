"""The bench's flow is what its docstring says."""

import numpy as np
import pytest

from actors.book.naive import NaiveBook
from actors.book.vocabulary import CommandKind, Side, TimeInForce
from cluster.tools.bench.flow import Mix, realistic_flow
from cluster.tools.bench.race import MARKET

COUNT = 60_000
MIX = Mix(life_commands=4_000)


def test_the_same_seed_gives_the_same_bytes_and_another_seed_others() -> None:
    first, again, other = (
        realistic_flow(count=2_000, seed=seed, swing=0.2).tobytes() for seed in (5, 5, 6)
    )
    assert first == again != other


def test_ids_and_times_run_without_a_gap_from_where_they_should_start() -> None:
    flow = realistic_flow(
        count=5_000, seed=1, first_order_id=901, first_command_id=70, start_us=10, interval_us=3
    )
    placed = flow["order_id"][flow["kind"] == CommandKind.PLACE]
    assert placed.tolist() == list(range(901, 901 + len(placed)))
    assert flow["command_id"].tolist() == list(range(70, 5_070))
    assert flow["time_us"].tolist() == list(range(10, 15_010, 3))


@pytest.mark.parametrize("swing", [0.0, 0.6])
def test_shares_of_ioc_amended_and_cancelled_are_those_of_the_mix(swing: float) -> None:
    flow = realistic_flow(count=COUNT, seed=2, swing=swing, mix=MIX)
    places = flow[flow["kind"] == CommandKind.PLACE]
    ioc = (places["time_in_force"] == TimeInForce.IOC).mean()
    settled = places[: len(places) // 2]
    resting = settled[settled["time_in_force"] == TimeInForce.GTC]["order_id"]
    amended = np.isin(resting, flow["order_id"][flow["kind"] == CommandKind.AMEND]).mean()
    cancelled = np.isin(resting, flow["order_id"][flow["kind"] == CommandKind.CANCEL]).mean()
    assert ioc == pytest.approx(0.15, abs=0.01)
    assert amended == pytest.approx(0.20, abs=0.02)
    assert cancelled == pytest.approx(0.95, abs=0.02)


def test_a_cancel_or_an_amend_comes_from_the_orders_own_user_and_after_it() -> None:
    flow = realistic_flow(count=COUNT, seed=3, users=50)
    born: dict[int, int] = {}
    for kind, order_id, user_id in flow[["kind", "order_id", "user_id"]].tolist():
        if kind == CommandKind.PLACE:
            born[order_id] = user_id
        assert born[order_id] == user_id
    assert set(born.values()) == set(range(1, 51))


@pytest.mark.parametrize(("swing", "fewest_open"), [(0.0, 3_000), (0.6, 600)])
def test_thousands_of_orders_are_open_at_its_end(swing: float, fewest_open: int) -> None:
    book = NaiveBook(MARKET)
    book.apply(realistic_flow(count=COUNT, seed=4, swing=swing))
    assert book.open_orders > fewest_open
    assert book.last_trade_id > COUNT // 20


def test_a_fixed_mid_keeps_resting_orders_on_their_own_side_and_a_swing_spans_its_share() -> None:
    fixed = realistic_flow(count=COUNT, seed=5)
    resting = fixed[fixed["time_in_force"] == TimeInForce.GTC]
    assert (resting["price_ticks"][resting["side"] == Side.BUY] < 5_000_000).all()
    assert (resting["price_ticks"][resting["side"] == Side.SELL] > 5_000_000).all()
    swinging = realistic_flow(count=COUNT, seed=5, swing=0.6)
    prices = swinging["price_ticks"][swinging["kind"] == CommandKind.PLACE]
    chunks = [float(np.median(chunk)) for chunk in np.array_split(prices, 50)]
    assert 0.4 < (max(chunks) - min(chunks)) / 5_000_000 < 0.7
