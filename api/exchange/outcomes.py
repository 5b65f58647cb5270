"""The gateway's ear: one reader of `orders.updated`, from its end, for waiters and halts."""

import asyncio

import structlog

from actors.log.tail import EventTail
from actors.platform.errors import LogError, LogGapError
from actors.platform.topology import Topology
from api.exchange.waiting import OutcomeWaiters
from api.exchange.watch import MarketWatch

_log = structlog.get_logger(__name__)
_PAUSE_S = 0.5


class OutcomeReader:
    """Read events and hand them on, whatever happens to the broker."""

    def __init__(
        self,
        *,
        bootstrap: str,
        topology: Topology,
        waiters: OutcomeWaiters,
        watch: MarketWatch,
    ) -> None:
        self._tail = EventTail(bootstrap=bootstrap, client_id="forkast-gateway-outcomes")
        self._partitions = [topology.partition(market) for market in topology]
        self._waiters = waiters
        self._watch = watch

    async def start(self) -> None:
        """Stand at the end of the log. Raises LogUnavailableError while no broker answers."""
        await self._tail.start(dict.fromkeys(self._partitions))

    async def stop(self) -> None:
        """Disconnect."""
        await self._tail.stop()

    async def run(self) -> None:
        """Read for ever."""
        while True:
            try:
                await self._read()
            except LogError as error:
                _log.warning("outcomes_unreadable", why=str(error))
                await asyncio.sleep(_PAUSE_S)

    async def _read(self) -> None:
        try:
            arrived = await self._tail.read(timeout_ms=1_000)
        except LogGapError as error:
            # Nobody waits for what is as old as that.
            await self._to_the_end(error.partition)
            return
        for tailed_records in arrived.values():
            for tailed in tailed_records:
                events = self._waiters.offer(tailed.record)
                self._watch.take(tailed.record.market_id, events)

    async def _to_the_end(self, partition: int) -> None:
        ends = await self._tail.end_offsets()
        self._tail.seek(partition, ends[partition])
