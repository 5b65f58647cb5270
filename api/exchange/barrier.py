"""Waiting until Postgres has all that the log held when the question was asked."""

import asyncio
import time

from actors.log.ends import LogEnds
from actors.platform.topology import Topology
from api.asgi.errors import UnavailableError
from api.exchange.storage.positions import PositionsRepository

_POLL_S = 0.02
WAIT_S = 5.0


class WriterBarrier:
    """Let a reader pass when the writer has come as far as the log had when it asked.

    Readers that ask while others wait share the next round: one request to the broker, whatever
    their number.
    """

    def __init__(
        self, *, ends: LogEnds, positions: PositionsRepository, topology: Topology
    ) -> None:
        self._ends = ends
        self._positions = positions
        self._partitions = {market.market_id: topology.partition(market) for market in topology}
        self._next: asyncio.Task[None] | None = None
        self._running: asyncio.Task[None] | None = None

    async def passed(self) -> None:
        """Return once everything acknowledged before this call is in Postgres.

        Raises UnavailableError where that takes longer than `WAIT_S`, LogError and
        StorageUnavailableError.
        """
        if self._next is None:
            self._next = asyncio.create_task(self._round(self._running))
            self._next.add_done_callback(_fetch)
        await asyncio.shield(self._next)

    async def _round(self, before: asyncio.Task[None] | None) -> None:
        if before is not None:
            await asyncio.wait({before})
        # From here on the end of the log is read: who asks later needs a later round.
        self._running, self._next = self._next, None
        await self._wait_for(await self._ends.end_offsets(self._partitions.values()))

    async def _wait_for(self, ends: dict[int, int]) -> None:
        deadline = time.monotonic() + WAIT_S
        while True:
            reached = await self._positions.commands_offsets()
            behind = [
                market_id
                for market_id, partition in self._partitions.items()
                if reached.get(market_id, 0) < ends[partition]
            ]
            if not behind:
                return
            if time.monotonic() > deadline:
                raise UnavailableError(
                    "NOT_YET_KNOWN",
                    "The database has not caught up with the log yet; try again.",
                    retry_after_s=1,
                )
            await asyncio.sleep(_POLL_S)


def _fetch(done: asyncio.Task[None]) -> None:
    # Whoever asked may have gone: an error that nobody fetched would be reported as lost.
    if not done.cancelled():
        done.exception()
