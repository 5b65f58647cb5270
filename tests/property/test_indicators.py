"""A candle has one value of an indicator, whatever else is asked for."""

import random

import asyncpg
import pytest

from analytics import queries
from analytics.curves import compute
from analytics.frames import empty_candles
from analytics.history import History
from analytics.intervals import Interval
from analytics.series import RecentSeconds
from analytics.studies import Kind, Study
from tests.beds.trades import trade_events

QUESTIONS = 60


class Market:
    """Random trades of one market, and questions about them as the candle actor answers them."""

    def __init__(self, chance: random.Random) -> None:
        self._chance = chance
        still = chance.choice([1, 3, 40, 2_000])
        price, time_us = chance.randint(100, 10**9), 1_699_999_990_000_000
        rows = []
        for _ in range(chance.choice([1, 20, 300, 2_000])):
            price = max(1, price + chance.choice([0, 0, 1, -1, 7, -9, price // 50, -price // 60]))
            time_us += chance.randint(0, still * 1_000_000)
            rows.append((time_us, price, chance.randint(1, 10**9)))
        self.now_s = time_us // 1_000_000 + chance.choice([0, 1, 500])
        self._series = RecentSeconds(
            market_id=1, bound=10**6, candles=empty_candles(), complete=True
        )
        self._series.add(trade_events(rows))
        # Everything is in memory: the pool is never asked.
        self._history = History(asyncpg.create_pool("postgres://127.0.0.1:1/none"))

    async def ask(
        self, interval: Interval, studies: list[Study]
    ) -> dict[tuple[int, str], float | None]:
        """Ask with some limit and `before`; return the values by time and name."""
        limit = self._chance.choice([1, 2, 50, 100, 700])
        before_s = self._chance.choice([None, self.now_s - self._chance.randint(0, 5_000)])
        candles = await queries.candles(
            self._series,
            self._history,
            market_id=1,
            interval=interval,
            limit=limit + max(study.lookback for study in studies),
            before_s=before_s,
            now_s=self.now_s,
        )
        found = compute(candles, studies, limit=limit)
        return {
            (time_s, name): value
            for name, values in (found.prices | found.numbers).items()
            for time_s, value in zip(found.times_s, values, strict=True)
        }


@pytest.mark.parametrize("seed", range(12))
async def test_the_value_at_a_candle_never_depends_on_the_question(seed: int) -> None:
    chance = random.Random(seed)
    market = Market(chance)
    interval = chance.choice([Interval.S1, Interval.S10, Interval.M1])
    lengths = [1, 2, 14, chance.randint(3, 60)]
    known: dict[tuple[int, str], float | None] = {}
    for _ in range(QUESTIONS):
        studies = [
            Study(chance.choice(list(Kind)), chance.choice(lengths))
            for _ in range(chance.randint(1, 4))
        ]
        for at, value in (await market.ask(interval, studies)).items():
            assert known.setdefault(at, value) == value, at
    assert known
