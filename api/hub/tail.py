"""One pair's events from the log, from now on: what the room's trades and orders are made of."""

import asyncio
from collections.abc import Awaitable, Callable

import structlog

from actors.book.records import RecordArray
from actors.log.ports import Log
from actors.log.tail import EventTail, events_after
from actors.platform.errors import LogError

_log = structlog.get_logger(__name__)

_READ_TIMEOUT_MS = 1_000
_PAUSE_S = 1.0


class RoomTail:
    """Deliver a partition's new events in order, each once; older ones are nobody's business."""

    def __init__(
        self, log: Log, *, partition: int, deliver: Callable[[RecordArray], Awaitable[None]]
    ) -> None:
        self._tail = EventTail(log, client_id="forkast-hub")
        self._partition = partition
        self._deliver = deliver
        self._sequence = 0

    async def start(self) -> None:
        """Stand at the end of the log. Raises LogError."""
        await self._tail.start({self._partition: None})

    async def run(self) -> None:
        """Deliver, for ever; where the log has a gap, go on at its end."""
        while True:
            try:
                arrived = await self._tail.read(timeout_ms=_READ_TIMEOUT_MS)
            except LogError as error:
                _log.warning("room_tail_reconnects", partition=self._partition, why=str(error))
                await asyncio.sleep(_PAUSE_S)
                await self._restart()
                continue
            for tailed in arrived.get(self._partition, ()):
                events = events_after(tailed.record, self._sequence)
                if len(events):
                    self._sequence = int(events["sequence"][-1])
                    await self._deliver(events)

    async def stop(self) -> None:
        """Disconnect."""
        await self._tail.stop()

    async def _restart(self) -> None:
        await self._tail.stop()
        try:
            await self._tail.start({self._partition: None})
        except LogError as error:
            _log.warning("room_tail_waits", partition=self._partition, why=str(error))
