"""The events of all rooms from the log, by one reader: of the pairs that anybody follows."""

import asyncio
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import structlog

from actors.book.records import RecordArray
from actors.log.ports import Log, LogEnds
from actors.log.tail import EventTail, TailedEvents, events_after
from actors.platform.errors import LogError, LogGapError
from actors.platform.tasks import end
from actors.platform.topology import EVENTS_TOPIC

_log = structlog.get_logger(__name__)

_READ_TIMEOUT_MS = 1_000
# A partition that somebody begins to follow is read with the next request to the broker, and the
# one before is answered after so long.
_WAIT_MS = 250
_ENDS_S = 2.0
_PAUSE_S = 0.5

# Takes a partition's new events, record by record; False asks for no more until `resume`.
Deliver = Callable[[Sequence[RecordArray]], bool]


@dataclass(slots=True)
class _Follower:
    """Whoever is told of a partition's events, and the sequence that it was told last."""

    deliver: Deliver
    sequence: int = 0

    def take(self, arrived: Iterable[TailedEvents]) -> bool:
        """Hand on what is new; False where no more is wanted for now."""
        fresh = []
        for tailed in arrived:
            events = events_after(tailed.record, self.sequence)
            if len(events):
                self.sequence = int(events["sequence"][-1])
                fresh.append(events)
        return not fresh or self.deliver(fresh)


class RoomsTail:
    """Deliver the new events of followed partitions in order, each once, by one consumer.

    Partitions that nobody follows are paused; while nobody follows any there is no connection. A
    broker that goes away is waited for, and reading goes on where it stood; only where the log
    has a gap it goes on at the end.
    """

    def __init__(self, log: Log, *, partitions: Iterable[int]) -> None:
        self._log = log
        self._partitions = tuple(partitions)
        self._followers: dict[int, _Follower] = {}
        self._connecting = asyncio.Lock()
        self._tail: EventTail | None = None
        self._ends: LogEnds | None = None
        self._reading: asyncio.Task[None] | None = None

    async def follow(self, partition: int, deliver: Deliver) -> None:
        """Deliver all that this partition holds from now on. Raises LogError.

        What is delivered begins before this returns.
        """
        async with self._connecting:
            tail, ends = await self._connected()
            offsets = await ends.end_offsets([partition])
            self._followers[partition] = _Follower(deliver)
            tail.seek(partition, offsets[partition])
            tail.resume(partition)

    def leave(self, partition: int) -> None:
        """Deliver no more of this partition."""
        if self._followers.pop(partition, None) is not None and self._tail is not None:
            self._tail.pause(partition)

    def resume(self, partition: int) -> None:
        """Go on with a partition whose follower wanted no more for a while."""
        if partition in self._followers and self._tail is not None:
            self._tail.resume(partition)

    async def rest(self) -> None:
        """Disconnect where nobody follows anything."""
        async with self._connecting:
            if not self._followers:
                await self._disconnect()

    async def stop(self) -> None:
        """Disconnect."""
        async with self._connecting:
            self._followers.clear()
            await self._disconnect()

    def check_health(self) -> None:
        """Raise RuntimeError when the reading has ended by itself."""
        if self._reading is not None and self._reading.done():
            why = "cancelled" if self._reading.cancelled() else repr(self._reading.exception())
            raise RuntimeError(f"{self._reading.get_name()} has ended: {why}")

    async def _connected(self) -> tuple[EventTail, LogEnds]:
        if self._tail is not None and self._ends is not None:
            return self._tail, self._ends
        ends = self._log.ends(topic=EVENTS_TOPIC, client_id="forkast-hub-ends", timeout_s=_ENDS_S)
        tail = EventTail(self._log, client_id="forkast-hub", wait_ms=_WAIT_MS)
        for partition in self._partitions:
            tail.pause(partition)
        await ends.start()
        try:
            # Nothing is read before somebody follows, and then from the end as it is by then.
            await tail.start(dict.fromkeys(self._partitions, 0))
        except BaseException:
            await ends.stop()
            raise
        self._tail, self._ends = tail, ends
        self._reading = asyncio.create_task(self._read_on(tail, ends), name="reading of the rooms")
        return tail, ends

    async def _disconnect(self) -> None:
        reading, self._reading = self._reading, None
        tail, self._tail = self._tail, None
        ends, self._ends = self._ends, None
        if reading is not None:
            await end([reading])
        if tail is not None:
            await tail.stop()
        if ends is not None:
            await ends.stop()

    async def _read_on(self, tail: EventTail, ends: LogEnds) -> None:
        while True:
            try:
                arrived = await self._read(tail, ends)
            except LogError as error:
                _log.warning("rooms_tail_waits", why=str(error))
                await asyncio.sleep(_PAUSE_S)
                continue
            for partition, records in arrived.items():
                follower = self._followers.get(partition)
                if follower is not None and not follower.take(records):
                    tail.pause(partition)

    async def _read(self, tail: EventTail, ends: LogEnds) -> dict[int, list[TailedEvents]]:
        """Return what has arrived; nothing where the log has a gap, which is passed over."""
        try:
            return await tail.read(timeout_ms=_READ_TIMEOUT_MS)
        except LogGapError as gap:
            _log.warning("rooms_tail_skips", partition=gap.partition, why=str(gap))
            offsets = await ends.end_offsets([gap.partition])
            # Whoever began to follow it meanwhile stands at an end of his own.
            if tail.positions[gap.partition] == gap.needed_offset:
                tail.seek(gap.partition, offsets[gap.partition])
            return {}
