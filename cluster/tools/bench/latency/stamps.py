"""Stamps of a platform that was started with a trace, gathered while a load runs."""

import asyncio
from collections import defaultdict
from collections.abc import Sequence
from typing import Self

import numpy as np

from actors.platform.trace import STAMP, Step
from cluster.errors import ClusterError
from cluster.tools.bench.latency.stages import Moments

_Stamp = tuple[int, int, int, int]


class Stamps(asyncio.DatagramProtocol):
    """Listen at `address`, `host:port`, and hold what arrives; without an address, nothing."""

    def __init__(self, address: str) -> None:
        self._address = address
        self._transport: asyncio.DatagramTransport | None = None
        self._found: dict[tuple[int, int], list[_Stamp]] = defaultdict(list)

    async def __aenter__(self) -> Self:
        if self._address:
            host, _, port = self._address.rpartition(":")
            loop = asyncio.get_running_loop()
            try:
                self._transport, _ = await loop.create_datagram_endpoint(
                    lambda: self, local_addr=(host, int(port))
                )
            except OSError as error:
                raise ClusterError(f"no stamps can be received at {self._address}") from error
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._transport is not None:
            self._transport.close()

    def datagram_received(self, data: bytes, addr: object) -> None:
        """Take one stamp; called by the event loop."""
        if len(data) == STAMP.size:
            step, place, *stamp = STAMP.unpack(data)
            self._found[step, place].append(tuple(stamp))

    def begun_us(self, step: Step, places: Sequence[int], offsets: Sequence[int]) -> Moments:
        """Return when the records at these offsets of these places came to a step, 0 if unknown."""
        return self._times(step, places, offsets, 2)

    def ended_us(self, step: Step, places: Sequence[int], offsets: Sequence[int]) -> Moments:
        """Return when they had passed it, 0 if unknown."""
        return self._times(step, places, offsets, 3)

    def _times(
        self, step: Step, places: Sequence[int], offsets: Sequence[int], column: int
    ) -> Moments:
        times = np.zeros(len(offsets), np.int64)
        here, wanted = np.array(places, np.int64), np.array(offsets, np.int64)
        for place in set(places):
            stamps = np.array(sorted(self._found.get((int(step), place), [])), np.int64)
            if not len(stamps):
                continue
            mine = here == place
            at = np.searchsorted(stamps[:, 0], wanted[mine], "right") - 1
            holds = (at >= 0) & (wanted[mine] < stamps[at, 1])
            times[mine] = np.where(holds, stamps[at, column], 0)
        return times
