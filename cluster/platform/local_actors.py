"""What otherwise lies behind Ray, called in this process: books, writer, candles."""

from collections.abc import Awaitable, Mapping
from typing import Any

import msgspec

from actors.book.market import Market
from actors.pair.actor import PairActor
from actors.pair.messages import Fingerprint, Position, RangeAnswer, RangeRequest
from actors.platform.messages import Candle, DepthSnapshot
from actors.writer.status import WriterStatus
from actors.writer.writer import PostgresWriter
from analytics.aggregator import CandleAggregator
from analytics.intervals import Interval
from analytics.messages import IndicatorSeries, LiveCandle, Ticker
from cluster.plan import Platform


class LocalPair:
    """The `PairClient` of a pair in this process."""

    def __init__(self, actor: PairActor) -> None:
        self.actor = actor

    async def position(self) -> Position:
        """Return where the pair stands."""
        return self.actor.position()

    async def rewind(self) -> Position:
        """Send the pair back to its last snapshot; return where it stands then."""
        return self.actor.rewind()

    def apply(self, request: RangeRequest) -> Awaitable[RangeAnswer]:
        """Apply a range now; await its outcome."""
        return self._decoded(self.actor.answer(request))

    async def acknowledge(self, next_offset: int) -> None:
        """Say that the events of all commands before this offset are in the log."""
        self.actor.acknowledge(next_offset)

    async def depth_messages(self, *, limit: int, top: int) -> tuple[bytes, bytes]:
        """Return the depth as two MessagePack `DepthSnapshot`s."""
        return self.actor.depth_messages(limit, top)

    async def stats(self) -> dict[str, Any]:
        """Return the pair's figures."""
        return self.actor.stats()

    async def _decoded(self, answer: bytes) -> RangeAnswer:
        return msgspec.msgpack.decode(answer, type=RangeAnswer)


def local_pair(platform: Platform, market: Market) -> LocalPair:
    """Return a pair that keeps its snapshots where the platform's pairs do."""
    return LocalPair(PairActor(market, platform.snapshots_of(market), platform.limits))


class LocalViews:
    """The `PairViews` of an exchange in this process."""

    def __init__(self, pairs: Mapping[str, LocalPair], writer: PostgresWriter) -> None:
        self._pairs = pairs
        self._writer = writer

    async def depth(self, pair: str, limit: int) -> DepthSnapshot:
        """Return at most `limit` levels of each side, best first."""
        return self._pairs[pair].actor.depth(limit)

    async def orders(self, pair: str, limit: int) -> tuple[bytes, bytes]:
        """Return bids' and asks' order images (`EVENT_DTYPE` bytes), in priority."""
        return self._pairs[pair].actor.orders(limit)

    async def fingerprint(self, pair: str) -> Fingerprint:
        """Return the pair's position and state hash of one moment."""
        return self._pairs[pair].actor.fingerprint()

    async def ping(self, actor: str) -> None:
        """Return at once: all that is asked for is in this process."""

    async def writer(self) -> WriterStatus:
        """Return how the Postgres writer stands."""
        return await self._writer.status()


class LocalCandles:
    """The `CandleSource` of an aggregator in this process."""

    def __init__(self, aggregator: CandleAggregator) -> None:
        self._aggregator = aggregator

    async def candles(
        self, *, pair: str, interval: Interval, limit: int, before_s: int | None, now_s: int
    ) -> list[Candle]:
        """See `CandleAggregator.candles`."""
        return await self._aggregator.candles(pair, interval.value, limit, before_s, now_s)

    async def indicators(
        self,
        *,
        pair: str,
        interval: Interval,
        names: list[str],
        limit: int,
        before_s: int | None,
        now_s: int,
    ) -> IndicatorSeries:
        """See `CandleAggregator.indicators`."""
        return await self._aggregator.indicators(
            pair, interval.value, names, limit, before_s, now_s
        )

    async def live(self, *, pair: str, interval: Interval) -> LiveCandle | None:
        """See `CandleAggregator.live`."""
        return await self._aggregator.live(pair, interval.value)

    async def seconds(self, *, pair: str, since_s: int, limit: int) -> list[Candle] | None:
        """See `CandleAggregator.seconds`."""
        return await self._aggregator.seconds(pair, since_s, limit)

    async def ticker(self, *, pair: str, now_s: int) -> Ticker | None:
        """See `CandleAggregator.ticker`."""
        return await self._aggregator.ticker(pair, now_s)
