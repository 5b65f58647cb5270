"""Seeded streams, a million commands in all, through the naive and the compiled book.

Repeat one that failed by its test id:
`.venv/bin/pytest "tests/property/test_book_streams.py::<the test's name>[<arena>-<seed>]"`.
"""

import numpy as np
import pytest

from actors.book.market import Market
from actors.book.records import RecordArray
from cluster.tools.bench.flow import realistic_flow
from tests.property.streams import ARENAS, stream
from tests.property.twins import Twins

COMMANDS = 60_000
SEEDS = (1, 2, 3, 4)
BATCHES = (1, 1, 2, 3, 7, 16, 64, 250, 257, 1000)


def run_twins(market: Market, commands: RecordArray, *, seed: int, compare_every: int) -> Twins:
    """Feed batches of mixed sizes to both books, comparing all of their state ever so often."""
    twins = Twins(market)
    sizes = np.random.default_rng(seed).choice(BATCHES, len(commands)).tolist()
    position = compared = 0
    for size in sizes:
        if position >= len(commands):
            break
        try:
            twins.apply(commands[position : position + size])
            position += size
            if position - compared >= compare_every:
                twins.compare(rows=50)
                compared = position
        except AssertionError as difference:
            where = f"seed {seed}, commands {position} to {position + size}"
            raise AssertionError(f"{where}: {difference}") from difference
    twins.compare(rows=100_000)
    return twins


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("arena", ARENAS)
def test_both_books_answer_a_stream_of_every_command_alike(arena: str, seed: int) -> None:
    commands = stream(ARENAS[arena], seed=seed, count=COMMANDS)
    twins = run_twins(ARENAS[arena].market, commands, seed=seed, compare_every=1_000)
    assert twins.naive.last_trade_id > COMMANDS // 50


@pytest.mark.parametrize("swing", [0.0, 0.6])
def test_both_books_answer_a_markets_flow_alike(swing: float) -> None:
    market = Market(
        market_id=1,
        pair="BTC-USD",
        tick_size="0.01",
        lot_size="0.0001",
        min_notional_units=0,
        max_price_ticks=10**9,
        max_quantity_lots=10**9,
    )
    commands = realistic_flow(count=100_000, seed=11, swing=swing)
    twins = run_twins(market, commands, seed=11, compare_every=10_000)
    assert twins.naive.open_orders > 500
