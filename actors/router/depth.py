"""Depth to Redis: whatever Redis does, trading goes on."""

import asyncio
from collections import deque
from collections.abc import Iterable

import msgspec
import numpy as np
import structlog
from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

from actors.book.market import Market
from actors.book.records import LEVEL_DTYPE, RecordArray
from actors.book.vocabulary import Side
from actors.pair.messages import RangeApplied
from actors.platform.channels import LAG_KEY, depth_changes_channel, depth_channel, depth_key
from actors.platform.messages import DepthChange, LevelRow, PairLag

_log = structlog.get_logger(__name__)
_LEVEL_ROW = ["price_ticks", "quantity_lots", "filled_lots", "order_count"]
_QUEUE_MESSAGES = 2_000
_PAUSE_S = 0.5
# The first message after a silence leaves at once; those that follow share what a request costs.
_GATHER_S = 0.02
_SOCKET_TIMEOUT_S = 2.0
TOP_LEVELS = 50


class DepthFeed:
    """Send depth and lag to Redis from a bounded queue.

    What does not fit, and what is queued while Redis is away, is dropped: readers of changes see
    the gap in the update ids and start again from a snapshot, and the cached depth is written
    anew every few seconds. The channel of snapshots carries `TOP_LEVELS` levels a side, the cached
    depth `limits.depth_levels`.
    """

    def __init__(self, *, redis_url: str) -> None:
        self._redis: Redis = Redis.from_url(
            redis_url,
            socket_timeout=_SOCKET_TIMEOUT_S,
            socket_connect_timeout=_SOCKET_TIMEOUT_S,
            retry=Retry(NoBackoff(), 0),
        )
        self._queue: deque[tuple[str, str, bytes]] = deque()
        self._arrived = asyncio.Event()
        self._down = False
        self.dropped_messages = 0

    def change(self, market: Market, applied: RangeApplied) -> None:
        """Queue the levels that a range changed."""
        if applied.last_update_id == applied.previous_update_id:
            return
        levels = np.frombuffer(applied.levels, LEVEL_DTYPE)
        change = DepthChange(
            market_id=market.market_id,
            sequence=applied.last_sequence,
            previous_update_id=applied.previous_update_id,
            last_update_id=applied.last_update_id,
            bids=_rows(levels, Side.BUY),
            asks=_rows(levels, Side.SELL),
        )
        self._put("PUBLISH", depth_changes_channel(market.pair), msgspec.msgpack.encode(change))

    def snapshot(self, market: Market, *, whole: bytes, top: bytes) -> None:
        """Queue the depth for the cache (`whole`) and for those who follow it (`top`)."""
        self._put("SET", depth_key(market.pair), whole)
        self._put("PUBLISH", depth_channel(market.pair), top)

    async def write_lag(self, lags: Iterable[tuple[str, PairLag]]) -> None:
        """Write each pair's lag; do nothing while Redis is away."""
        fields = [part for pair, lag in lags for part in (pair, msgspec.msgpack.encode(lag))]
        try:
            await self._redis.hset(LAG_KEY, items=fields)
        except (RedisError, OSError) as error:
            self._note_down(error)

    async def run(self) -> None:
        """Send what is queued, for ever."""
        while True:
            await self._arrived.wait()
            self._arrived.clear()
            messages = list(self._queue)
            self._queue.clear()
            if not messages:
                continue
            try:
                await self._send(messages)
            except (RedisError, OSError) as error:
                self.dropped_messages += len(messages)
                self._note_down(error)
                await asyncio.sleep(_PAUSE_S)
            await asyncio.sleep(_GATHER_S)

    async def close(self) -> None:
        """Disconnect."""
        await self._redis.aclose()

    async def _send(self, messages: list[tuple[str, str, bytes]]) -> None:
        pipeline = self._redis.pipeline(transaction=False)
        for command, name, payload in messages:
            pipeline.execute_command(command, name, payload)
        await pipeline.execute()
        if self._down:
            self._down = False
            _log.info("redis_back", dropped_messages=self.dropped_messages)

    def _put(self, command: str, name: str, payload: bytes) -> None:
        if len(self._queue) >= _QUEUE_MESSAGES:
            self.dropped_messages += 1
            return
        self._queue.append((command, name, payload))
        self._arrived.set()

    def _note_down(self, error: Exception) -> None:
        if not self._down:
            self._down = True
            _log.warning("redis_away", why=repr(error))


def _rows(levels: RecordArray, side: Side) -> list[LevelRow]:
    rows: list[LevelRow] = levels[levels["side"] == side][_LEVEL_ROW].tolist()
    return rows
