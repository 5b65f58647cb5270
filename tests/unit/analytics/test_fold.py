"""What the candle fold holds in memory, beside its store."""

import asyncio

import polars as pl

from actors.follow.positions import MarketPosition
from actors.log.memory import MemoryLog
from actors.platform.config import CandlesConfig
from actors.platform.messages import Candle
from actors.platform.topology import TRADES_TOPIC, Topology
from analytics.fold import SECONDS_REPEATED, CandleFold
from analytics.frames import empty_candles, to_frame
from analytics.seconds import fold_seconds
from analytics.store import CandleStore, Restored
from tests.beds.commands import market
from tests.beds.trades import trade_events


class EmptyStore(CandleStore):
    """A store without a candle of any market."""

    def __init__(self) -> None:
        pass

    async def restore(self, topology: Topology, *, seconds: int) -> Restored:
        ids = [one.market_id for one in topology]
        positions = tuple(MarketPosition(market_id=market_id) for market_id in ids)
        return Restored(positions, {market_id: empty_candles() for market_id in ids})


async def test_whoever_asks_about_an_added_market_waits_until_it_is_restored() -> None:
    fold = CandleFold(
        CandlesConfig(kafka_bootstrap="", postgres_url="", redis_url="", topology=Topology(())),
        MemoryLog(),
        consumer="candles",
        topic=TRADES_TOPIC,
        seconds_in_memory=100,
        tell=lambda _market_id, _candles: None,
    )
    asking = [asyncio.ensure_future(fold.recent(market_id)) for market_id in (1, 2)]
    await fold.restore(EmptyStore(), Topology((market(1),)))
    assert len(await asking[0]) == 0
    assert not asking[1].done()
    await fold.restore(EmptyStore(), Topology((market(1), market(2))))
    async with asyncio.timeout(5):
        assert len(await asking[1]) == 0
    assert fold.seconds_held == {1: 0, 2: 0}


class HoldingStore(CandleStore):
    """A store with these seconds of the market 1."""

    def __init__(self, seconds: pl.DataFrame) -> None:
        self._seconds = seconds

    async def restore(self, topology: Topology, *, seconds: int) -> Restored:
        return Restored((MarketPosition(market_id=1),), {1: self._seconds})


async def test_the_newest_seconds_are_told_again_at_a_start() -> None:
    told: dict[int, list[Candle]] = {}
    fold = CandleFold(
        CandlesConfig(kafka_bootstrap="", postgres_url="", redis_url="", topology=Topology(())),
        MemoryLog(),
        consumer="candles",
        topic=TRADES_TOPIC,
        seconds_in_memory=10_000,
        tell=lambda market_id, candles: told.update({market_id: list(candles)}),
    )
    seconds = fold_seconds(1, trade_events([(at * 1_000_000, 100 + at, 1) for at in range(500)]))
    await fold.restore(HoldingStore(to_frame(seconds)), Topology((market(1),)))
    assert told == {1: seconds[-SECONDS_REPEATED:]}
