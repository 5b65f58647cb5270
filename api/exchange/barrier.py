"""Waiting until Postgres has all that the log of commands held when the question was asked."""

import asyncio
import time

from actors.log.ports import LogEnds
from actors.platform.topology import Topology
from api.exchange.refusals import not_yet_known
from api.exchange.rounds import Rounds
from api.exchange.storage.positions import PositionsRepository

_POLL_S = 0.02
WAIT_S = 5.0


class WriterBarrier:
    """Let a reader pass when the writer has come as far as the log had when it asked."""

    def __init__(
        self, *, ends: LogEnds, positions: PositionsRepository, topology: Topology
    ) -> None:
        self._ends = ends
        self._positions = positions
        self._partitions = {market.market_id: topology.partition(market) for market in topology}
        self._rounds = Rounds(self._round)

    async def passed(self) -> None:
        """Return once everything acknowledged before this call is in Postgres.

        Raises Refusal where that takes longer than `WAIT_S`, LogError and StorageUnavailableError.
        """
        await self._rounds.result()

    async def _round(self) -> None:
        ends = await self._ends.end_offsets(self._partitions.values())
        deadline = time.monotonic() + WAIT_S
        while True:
            reached = await self._positions.commands_offsets()
            if all(
                reached.get(market_id, 0) >= ends[partition]
                for market_id, partition in self._partitions.items()
            ):
                return
            if time.monotonic() > deadline:
                raise not_yet_known()
            await asyncio.sleep(_POLL_S)
