"""Markets seen from outside: how far they lag, and which are halted."""

import asyncio
from typing import Any

import msgspec
import structlog
from redis.asyncio import Redis
from redis.exceptions import RedisError

from actors.book.market import Market
from actors.book.reasons import Reason
from actors.book.records import RecordArray
from actors.book.vocabulary import EventKind, MarketStatus
from actors.platform.channels import HUB_KEY, LAG_KEY
from actors.platform.messages import HubMetrics, PairLag
from actors.platform.topology import Topology
from api.exchange.refusals import UnavailableError, refusal

_log = structlog.get_logger(__name__)
_PERIOD_S = 1.0
_LAG = msgspec.msgpack.Decoder(PairLag)
_HUB = msgspec.msgpack.Decoder(HubMetrics)


class MarketWatch:
    """Follow the pairs' lag in Redis and their halts in the log of events.

    While Redis is away the last lag is forgotten: nobody is turned away for what is not known.
    """

    def __init__(self, *, redis: Redis, topology: Topology, log_lag_commands: int) -> None:
        self._redis = redis
        self._topology = topology
        self._bound = log_lag_commands
        self._halted: dict[int, tuple[int, bool]] = {}
        self._away = False
        self.lags: dict[str, PairLag] = {}
        self.hub: HubMetrics | None = None

    def check(self, market: Market) -> None:
        """Raise where the market takes no orders now: halted, or too far behind its log."""
        if self.is_halted(market):
            raise refusal(Reason.HALTED)
        lag = self.lags.get(market.pair)
        if lag is not None and lag.commands_behind > self._bound:
            raise UnavailableError(
                "MARKET_BEHIND", f"{market.pair} is behind its log; try again.", retry_after_s=1
            )

    def is_halted(self, market: Market) -> bool:
        """Say whether the market was halted when it was last heard of."""
        return self._halted.get(market.market_id, (0, False))[1]

    def take(self, market_id: int, events: RecordArray) -> None:
        """Learn of halts from events of a market."""
        changes = events[events["kind"] == EventKind.MARKET]
        if len(changes):
            self._learn(
                market_id,
                sequence=int(changes["sequence"][-1]),
                halted=bool(changes["status"][-1] == MarketStatus.HALTED),
            )

    async def refresh(self) -> None:
        """Read every pair's lag."""
        try:
            found: dict[Any, Any] = await self._redis.hgetall(LAG_KEY)
            hub: Any = await self._redis.get(HUB_KEY)
            self.hub = _HUB.decode(hub) if hub else None
            self.lags = {pair.decode(): _LAG.decode(lag) for pair, lag in found.items()}
        except (RedisError, OSError, msgspec.MsgspecError) as error:
            self.lags, self.hub = {}, None
            if not self._away:
                _log.warning("lag_unknown", why=repr(error))
            self._away = True
            return
        self._away = False
        for lag in self.lags.values():
            self._learn(lag.market_id, sequence=lag.sequence, halted=lag.halted)

    async def run(self) -> None:
        """Refresh once a second, for ever."""
        while True:
            await self.refresh()
            await asyncio.sleep(_PERIOD_S)

    def _learn(self, market_id: int, *, sequence: int, halted: bool) -> None:
        if sequence >= self._halted.get(market_id, (0, False))[0]:
            self._halted[market_id] = (sequence, halted)
