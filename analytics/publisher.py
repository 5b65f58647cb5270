"""Changed seconds to Redis, for the hub: whatever Redis does, candles go on."""

import asyncio
from collections.abc import Iterable

import msgspec
import structlog
from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

from actors.book.market import INT64_MAX
from actors.platform.channels import candle_channel
from actors.platform.messages import Candle
from actors.platform.topology import Topology

_log = structlog.get_logger(__name__)

_SECONDS_PENDING_MAX = 600
_PAUSE_S = 0.5
_SOCKET_TIMEOUT_S = 2.0


class CandlePublisher:
    """Publish each market's changed seconds, whole, in order of time.

    A second that changes again before it was sent is sent once; while Redis is away the newest
    seconds of each market are kept. Amounts are cut at 64 bits, the most that MessagePack holds.
    """

    def __init__(self, *, redis_url: str, topology: Topology) -> None:
        self._redis: Redis = Redis.from_url(
            redis_url,
            socket_timeout=_SOCKET_TIMEOUT_S,
            socket_connect_timeout=_SOCKET_TIMEOUT_S,
            retry=Retry(NoBackoff(), 0),
        )
        self._topology = topology
        self._pending: dict[int, dict[int, Candle]] = {}
        self._arrived = asyncio.Event()
        self._down = False

    def follow(self, topology: Topology) -> None:
        """Go on with these markets; what is queued of others goes nowhere."""
        self._topology = topology

    def put(self, market_id: int, candles: Iterable[Candle]) -> None:
        """Queue changed seconds of a market."""
        pending = self._pending.setdefault(market_id, {})
        for candle in candles:
            pending[candle.open_time_s] = candle
        for open_time_s in sorted(pending)[:-_SECONDS_PENDING_MAX]:
            del pending[open_time_s]
        self._arrived.set()

    async def run(self) -> None:
        """Send what is queued, for ever."""
        while True:
            await self._arrived.wait()
            self._arrived.clear()
            taken, self._pending = self._pending, {}
            try:
                await self._send(taken)
            except (RedisError, OSError) as error:
                self._put_back(taken)
                self._note_down(error)
                await asyncio.sleep(_PAUSE_S)

    async def close(self) -> None:
        """Disconnect."""
        await self._redis.aclose()

    async def _send(self, seconds: dict[int, dict[int, Candle]]) -> None:
        pipeline = self._redis.pipeline(transaction=False)
        pairs = self._topology.pairs
        for market_id, candles in seconds.items():
            if market_id not in pairs:
                continue
            channel = candle_channel(pairs[market_id])
            ordered = [_cut(candles[open_time_s]) for open_time_s in sorted(candles)]
            pipeline.publish(channel, msgspec.msgpack.encode(ordered))
        await pipeline.execute()
        if self._down:
            self._down = False
            _log.info("redis_back")

    def _put_back(self, seconds: dict[int, dict[int, Candle]]) -> None:
        for market_id, candles in seconds.items():
            newer = self._pending.pop(market_id, {})
            self.put(market_id, (candles | newer).values())

    def _note_down(self, error: Exception) -> None:
        if not self._down:
            self._down = True
            _log.warning("redis_away", why=repr(error))


def _cut(candle: Candle) -> Candle:
    if candle.volume_lots <= INT64_MAX and candle.notional <= INT64_MAX:
        return candle
    return msgspec.structs.replace(
        candle,
        volume_lots=min(candle.volume_lots, INT64_MAX),
        notional=min(candle.notional, INT64_MAX),
    )
