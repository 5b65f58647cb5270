"""The candle aggregator's follower and fold over an in-memory store."""

from collections.abc import Iterable, Mapping

import polars as pl

from actors.follow.positions import MarketPosition
from actors.platform.errors import PositionTakenError
from actors.platform.messages import Candle
from actors.platform.topology import Topology
from analytics.frames import empty_candles, to_frame
from analytics.store import CandleStore, Restored
from tests.simulation.network import Network


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

    def restored(self) -> Restored:
        """Return the position and the candles."""
        return Restored((self.position,), {self.market_id: self.frame})


class MemoryCandleStore(CandleStore):
    """The fold's store over `MemoryCandles`."""

    def __init__(self, network: Network, stored: MemoryCandles) -> None:
        self._network = network
        self._stored = stored

    async def close(self) -> None:
        """Do nothing: there is no connection."""

    async def restore(self, topology: Topology, *, seconds: int) -> Restored:
        """Return the stored position and candles."""
        return await self._network.carry(
            "read the candles", self._stored.restored, lost=ConnectionError("lost")
        )

    async def write(
        self,
        changed: Mapping[int, Iterable[Candle]],
        *,
        before: Iterable[MarketPosition],
        after: Iterable[MarketPosition],
    ) -> None:
        """Commit seconds and position together."""
        frame = to_frame(changed.get(self._stored.market_id, ()))
        (old,), (new,) = before, after
        await self._network.carry(
            "commit candles",
            lambda: self._stored.commit(frame, old, new),
            lost=ConnectionError("lost"),
        )
