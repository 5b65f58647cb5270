"""Whether everything that the gateway needs answers, and what does not."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from functools import partial

from redis.asyncio import Redis

from actors.log.ports import LogEnds
from actors.platform.channels import LAG_KEY
from actors.platform.topology import Topology
from actors.remote.find import pair_actor_name
from actors.writer.status import WRITER_NAME
from analytics.client import CANDLES_NAME
from api.exchange.pairs import PairViews
from api.exchange.storage.database import Database
from api.exchange.watch import MarketWatch

_TIMEOUT_S = 3.0
_LAG_AGE_S = 10.0


class Readiness:
    """Ask servers and actors, all at once, each for a few seconds at most."""

    def __init__(
        self,
        *,
        database: Database,
        redis: Redis,
        ends: LogEnds,
        pairs: PairViews,
        topology: Topology,
        watch: MarketWatch,
        loops: Callable[[], list[str]],
    ) -> None:
        self._watch = watch
        self._topology = topology
        self._loops = loops
        actors = (WRITER_NAME, CANDLES_NAME, *map(pair_actor_name, topology.actors))
        self._checks: Mapping[str, Callable[[], Awaitable[object]]] = {
            "kafka": partial(ends.end_offsets, [0]),
            "postgres": partial(database.fetch, "SELECT 1"),
            "redis": partial(redis.exists, LAG_KEY),
            **{actor: partial(pairs.ping, actor) for actor in actors},
        }

    async def reasons(self) -> dict[str, str]:
        """Return what is not ready, by name, and why; empty when all is well."""
        answers = await asyncio.gather(
            *(self._ask(name, check) for name, check in self._checks.items())
        )
        reasons = {name: why for name, why in answers if why}
        reasons.update({f"gateway {name}": "has ended" for name in self._loops()})
        reasons.update(self._silent_routers())
        return reasons

    async def _ask(self, name: str, check: Callable[[], Awaitable[object]]) -> tuple[str, str]:
        try:
            async with asyncio.timeout(_TIMEOUT_S):
                await check()
        except TimeoutError:
            return name, f"no answer within {_TIMEOUT_S:g} s"
        except Exception as error:  # whatever a check meets is its answer
            return name, f"{type(error).__name__}: {error}"
        return name, ""

    def _silent_routers(self) -> dict[str, str]:
        oldest_us = (time.time() - _LAG_AGE_S) * 1e6
        lags = self._watch.lags
        return {
            f"router of {market.pair}": "has not reported for 10 s"
            for market in self._topology
            if market.pair not in lags or lags[market.pair].updated_us < oldest_us
        }
