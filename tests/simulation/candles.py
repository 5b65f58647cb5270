"""The candle aggregator's intake and fold over an in-memory store."""

import polars as pl

from actors.follow.positions import MarketPosition
from actors.platform.errors import LogError, PositionTakenError
from actors.platform.topology import TRADES_TOPIC
from analytics.frames import empty_candles
from analytics.intake import TradeIntake
from analytics.series import RecentSeconds
from tests.simulation.memory import MemoryLog, MemoryReader
from tests.simulation.network import Network

SECONDS_HELD = 1_000


class MemoryCandles:
    """Stored candles and the position that they stand for."""

    def __init__(self, market_id: int) -> None:
        self.market_id = market_id
        self.position = MarketPosition(market_id=market_id)
        self.frame = empty_candles()

    def commit(self, changed: pl.DataFrame, before: MarketPosition, after: MarketPosition) -> None:
        """Replace whole seconds and move the position. Raises PositionTakenError."""
        if self.position != before:
            raise PositionTakenError("another aggregator has moved the position")
        self.position = after
        kept = self.frame.filter(~pl.col("open_time_s").is_in(changed["open_time_s"].to_list()))
        self.frame = pl.concat([kept, changed]).sort("open_time_s")


class CandleProcess:
    """Fold what arrives and store it, from the stored position on whenever something fails."""

    def __init__(self, network: Network, log: MemoryLog, stored: MemoryCandles) -> None:
        self._network = network
        self._log = log
        self._stored = stored

    async def run(self) -> None:
        """Follow the trades until cancelled."""
        while True:
            try:
                await self._follow()
            except (LogError, ConnectionError, PositionTakenError):
                continue

    async def _follow(self) -> None:
        stored = self._stored
        intake = TradeIntake((stored.position,))
        series = RecentSeconds(
            market_id=stored.market_id, bound=SECONDS_HELD, candles=stored.frame, complete=True
        )
        reader = MemoryReader(self._network, self._log, TRADES_TOPIC)
        await reader.start({0: stored.position.next_offset})
        while True:
            for record in (await reader.read(timeout_ms=300)).get(0, []):
                intake.add(market_id=stored.market_id, offset=record.offset, value=record.value)
            trades, before, after = intake.take()
            if not after:
                continue
            fresh = trades.get(stored.market_id)
            changed = empty_candles() if fresh is None else series.add(fresh)
            await self._network.carry(
                "commit candles",
                lambda: stored.commit(changed, before[0], after[0]),  # noqa: B023
                lost=ConnectionError("lost"),
            )
