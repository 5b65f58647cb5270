"""The candles' side of their follower: trades folded into seconds, in memory, told and stored."""

import asyncio
from collections.abc import Callable, Iterable

from actors.follow.positions import MarketPosition
from actors.follow.tail import MarketTail
from actors.log.ports import Log
from actors.platform.config import CandlesConfig
from actors.platform.messages import Candle
from actors.platform.topology import Topology
from analytics.frames import to_candles
from analytics.intake import TradeBatch, TradeIntake
from analytics.series import RecentSeconds
from analytics.store import CandleStore

CLIENT_ID = "forkast-candles"
SECONDS_REPEATED = 60


class CandleFold:
    """Hold each market's recent seconds, and bring stored ones along with the trades of `topic`.

    `tell` is given changed seconds, whole, by market id. What is held stays at hand while
    connections are away.
    """

    def __init__(
        self,
        config: CandlesConfig,
        log: Log,
        *,
        consumer: str,
        topic: str,
        seconds_in_memory: int,
        tell: Callable[[int, Iterable[Candle]], None],
    ) -> None:
        self._config = config
        self._log = log
        self._consumer = consumer
        self._topic = topic
        self._seconds_in_memory = seconds_in_memory
        self._tell = tell
        self._restored = asyncio.Event()
        self._series: dict[int, RecentSeconds] = {}
        self._intake = TradeIntake(())
        self.trades = 0
        self.candles_written = 0

    @property
    def missing_trades(self) -> int:
        """Return how many trade ids the log has skipped since the connections were made."""
        return self._intake.missing_trades

    @property
    def seconds_held(self) -> dict[int, int]:
        """Return how many candles are in memory, by market id."""
        return {market_id: len(series) for market_id, series in self._series.items()}

    async def recent(self, market_id: int) -> RecentSeconds:
        """Return a market's seconds as soon as they have been restored."""
        while market_id not in self._series:
            await self._restored.wait()
        return self._series[market_id]

    async def open_store(self) -> CandleStore:
        """Connect to the candles. Raises OSError, TimeoutError and asyncpg's errors."""
        return await CandleStore.connect(self._config.postgres_url, consumer=self._consumer)

    async def restore(self, store: CandleStore, topology: Topology) -> tuple[MarketPosition, ...]:
        """Take each market's newest seconds into memory; return the positions they stand for.

        The last of them are told: they may have been stored and then not told any more.
        """
        restored = await store.restore(topology, seconds=self._seconds_in_memory)
        self._series = {
            market_id: RecentSeconds(
                market_id=market_id,
                bound=self._seconds_in_memory,
                candles=candles,
                complete=len(candles) < self._seconds_in_memory,
            )
            for market_id, candles in restored.candles.items()
        }
        for market_id, candles in restored.candles.items():
            self._tell(market_id, to_candles(market_id, candles.tail(SECONDS_REPEATED)))
        self._restored.set()
        self._restored = asyncio.Event()
        return restored.positions

    async def open_tail(
        self, topology: Topology, positions: tuple[MarketPosition, ...]
    ) -> MarketTail:
        """Connect to the trades from these positions on. Raises LogError."""
        return await MarketTail.open(
            topology,
            positions,
            log=self._log,
            topic=self._topic,
            client_id=CLIENT_ID,
        )

    def intake(self, positions: tuple[MarketPosition, ...]) -> TradeIntake:
        """Return an empty intake that goes on from these positions."""
        self._intake = TradeIntake(positions)
        return self._intake

    async def write(self, store: CandleStore, batch: TradeBatch) -> None:
        """Fold a batch's trades, tell and store the seconds that changed.

        Raises as `CandleStore.write`.
        """
        changed = {key: self._series[key].add(events) for key, events in batch.trades.items()}
        for market_id, candles in changed.items():
            self._tell(market_id, candles)
        await store.write(changed, before=batch.before, after=batch.after)
        for market_id in changed:
            self._series[market_id].trim()
        self.trades += sum(len(events) for events in batch.trades.values())
        self.candles_written += sum(len(candles) for candles in changed.values())
