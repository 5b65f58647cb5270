"""The order router as Ray Serve sees it: started in the replica's loop, watched, stopped."""

import asyncio
from functools import partial

from actors.book.market import Market
from actors.log.traced import log_of
from actors.pair.ports import PairClient
from actors.pair.streams import ActorStreams
from actors.pair.traced import TracedPair
from actors.platform.config import RouterConfig
from actors.platform.logs import configure_logs
from actors.platform.memory import settle
from actors.platform.messages import PairLag
from actors.platform.ray_metrics import RayMetrics
from actors.platform.trace import Step, Trace
from actors.router.router import OrderRouter
from actors.router.starting import PatientRouter

_REPORT_S = 1.0


class RouterReplica:
    """Hold one router for the life of a replica.

    It never fails to start: Serve gives a deployment up for good whose replicas did three times.
    """

    async def __init__(self, config: RouterConfig) -> None:  # type: ignore[misc]
        configure_logs(config.log_format, pairs=config.topology.pairs)
        self._streams = ActorStreams(config)
        self._trace = Trace(config.trace) if config.trace else None
        self._router = PatientRouter(
            partial(
                OrderRouter,
                config,
                connect=partial(_pair, self._streams, self._trace),
                log=log_of(config.kafka_bootstrap, trace=self._trace, step=Step.ROUTED),
            )
        )
        self._reporting = asyncio.create_task(self._report(), name="pair metrics")

    def check_health(self) -> None:
        """Raise when the router has to be replaced."""
        self._router.check_health()

    def lags(self) -> dict[str, PairLag]:
        """Return what was measured last, by pair."""
        return self._router.lags()

    async def _report(self) -> None:
        await self._router.started()
        settle()
        metrics = RayMetrics()
        while True:
            await asyncio.sleep(_REPORT_S)
            metrics.export_pairs(self._router.lags())

    async def __del__(self) -> None:
        # Serve awaits this on a graceful stop.
        self._reporting.cancel()
        await self._router.stop()
        await self._streams.close()
        if self._trace is not None:
            self._trace.close()


def _pair(streams: ActorStreams, trace: Trace | None, market: Market) -> PairClient:
    pair = streams.pair(market)
    return pair if trace is None else TracedPair(pair, market=market, trace=trace)
