"""A log in this process: for an exchange of one event loop, which needs no broker."""

import asyncio
from collections import defaultdict
from collections.abc import Iterable, Mapping

from actors.book.codec import EventRecord
from actors.book.market import Market
from actors.log.commands import BoundedCommandLog
from actors.log.ports import LogRecord, Published
from actors.log.published import TAIL_RECORDS, later, published_up_to
from actors.platform.errors import LogGapError
from actors.platform.topology import EVENTS_TOPIC, TRADES_TOPIC, Topology

# What one read takes of a partition, so that nobody else waits for the whole of a long log.
RECORDS_PER_READ = 500


class MemoryLog:
    """Hold every record of every topic for as long as the process lives; a `Log` of its own.

    A partition comes into being with its first record. Nothing is ever trimmed.
    """

    def __init__(self) -> None:
        self._values: dict[tuple[str, int], list[bytes]] = defaultdict(list)
        self._waiting: dict[tuple[str, int], list[asyncio.Event]] = defaultdict(list)

    def append(self, topic: str, partition: int, value: bytes) -> int:
        """Append a record, wake who waits for it, and return its offset."""
        values = self._values[topic, partition]
        values.append(value)
        self.wake(topic, partition)
        return len(values) - 1

    def wake(self, topic: str, partition: int) -> None:
        """Wake who waits for a record of this partition."""
        for arrived in self._waiting.pop((topic, partition), ()):
            arrived.set()

    def values(self, topic: str, partition: int) -> list[bytes]:
        """Return a copy of all records of a partition, in order."""
        return list(self._values.get((topic, partition), ()))

    def end(self, topic: str, partition: int) -> int:
        """Return the offset after the last record."""
        return len(self._values.get((topic, partition), ()))

    def records(
        self, topic: str, partition: int, *, first_offset: int, bound: int
    ) -> list[LogRecord]:
        """Return at most `bound` records from an offset on."""
        values = self._values.get((topic, partition), [])
        return [
            LogRecord(offset, values[offset])
            for offset in range(first_offset, min(first_offset + bound, len(values)))
        ]

    async def wait(self, topic: str, partitions: Iterable[int], *, timeout_s: float) -> None:
        """Return at the next record of any of the partitions, or after `timeout_s`."""
        arrived = asyncio.Event()
        waited_for = [(topic, partition) for partition in partitions]
        for key in waited_for:
            self._waiting[key].append(arrived)
        try:
            async with asyncio.timeout(timeout_s):
                await arrived.wait()
        except TimeoutError:
            return
        finally:
            for key in waited_for:
                if arrived in self._waiting.get(key, ()):
                    self._waiting[key].remove(arrived)

    def commands(
        self, *, topology: Topology, pending_commands: int, client_id: str
    ) -> BoundedCommandLog:
        """Return a writer of commands, of which `pending_commands` may be on their way at once."""
        return BoundedCommandLog(
            MemoryProducer(self), topology=topology, pending_commands=pending_commands
        )

    def sink(self, *, topology: Topology, client_id: str) -> "MemorySink":
        """Return a writer of events."""
        return MemorySink(self, topology)

    def ends(self, *, topic: str, client_id: str, timeout_s: float = 5.0) -> "MemoryEnds":
        """Return what names the ends of a topic."""
        return MemoryEnds(self, topic)

    def reader(
        self, *, topic: str, client_id: str, wait_ms: int = 500, ahead: bool = True
    ) -> "MemoryReader":
        """Return a reader of a topic."""
        return MemoryReader(self, topic)


class MemoryConnection:
    """What needs no connecting."""

    async def start(self) -> None:
        """Do nothing: the log is always there."""

    async def stop(self) -> None:
        """Do nothing: the log keeps what it has."""


class MemoryProducer(MemoryConnection):
    """The `Producer` of a log in memory."""

    def __init__(self, log: MemoryLog) -> None:
        self._log = log

    async def send(self, *, topic: str, partition: int, key: bytes, value: bytes) -> int:
        """Append a record and return its offset."""
        return await (await self.begin(topic=topic, partition=partition, key=key, value=value))

    async def begin(
        self, *, topic: str, partition: int, key: bytes, value: bytes
    ) -> asyncio.Future[int]:
        """Append a record; its offset is told in the loop's next turn, as by a broker."""
        loop = asyncio.get_running_loop()
        confirmed: asyncio.Future[int] = loop.create_future()
        offset = self._log.append(topic, partition, value)
        loop.call_soon(_confirm, confirmed, offset)
        return confirmed


def _confirm(confirmed: asyncio.Future[int], offset: int) -> None:
    if not confirmed.done():
        confirmed.set_result(offset)


class MemorySink(MemoryConnection):
    """The `EventSink` of a log in memory."""

    def __init__(self, log: MemoryLog, topology: Topology) -> None:
        self._log = log
        self._topology = topology

    async def publish(self, topic: str, market: Market, record: bytes) -> None:
        """Append a record."""
        self._append(topic, market, record)

    async def published(self, market: Market) -> Published:
        """Read the last `TAIL_RECORDS` of both topics."""
        return self._published(market)

    def _append(self, topic: str, market: Market, record: bytes) -> None:
        self._log.append(topic, self._topology.partition(market), record)

    def _published(self, market: Market) -> Published:
        return published_up_to(
            events=self._last(EVENTS_TOPIC, market), trades=self._last(TRADES_TOPIC, market)
        )

    def _last(self, topic: str, market: Market) -> EventRecord | None:
        partition = self._topology.partition(market)
        first_offset = max(0, self._log.end(topic, partition) - TAIL_RECORDS)
        last: EventRecord | None = None
        for record in self._log.records(
            topic, partition, first_offset=first_offset, bound=TAIL_RECORDS
        ):
            last = later(last, record.value, market)
        return last


class MemoryEnds(MemoryConnection):
    """The `LogEnds` of a log in memory."""

    def __init__(self, log: MemoryLog, topic: str) -> None:
        self._log = log
        self._topic = topic

    async def end_offsets(self, partitions: Iterable[int]) -> dict[int, int]:
        """Return the offset after the last record, by partition."""
        return {partition: self._log.end(self._topic, partition) for partition in partitions}


class MemoryReader:
    """The `LogReader` of a log in memory: at most `RECORDS_PER_READ` of a partition at a time."""

    def __init__(
        self, log: MemoryLog, topic: str, *, records_per_read: int = RECORDS_PER_READ
    ) -> None:
        self._log = log
        self._topic = topic
        self._bound = records_per_read
        self._positions: dict[int, int] = {}
        self._paused: set[int] = set()

    @property
    def positions(self) -> dict[int, int]:
        """Return the offset that will be read next, by partition."""
        return dict(self._positions)

    async def start(self, positions: Mapping[int, int | None]) -> None:
        """Stand at these offsets; None is the partition's end as it is now."""
        self._positions = {
            number: self._log.end(self._topic, number) if offset is None else offset
            for number, offset in positions.items()
        }

    async def stop(self) -> None:
        """Do nothing: there is no connection."""

    def seek(self, partition: int, offset: int) -> None:
        """Read this partition from `offset` on."""
        self._positions[partition] = offset
        self._log.wake(self._topic, partition)

    def pause(self, partition: int) -> None:
        """Leave this partition unread until it is resumed."""
        self._paused.add(partition)

    def resume(self, partition: int) -> None:
        """Read this partition again, also where somebody waits for its records already."""
        self._paused.discard(partition)
        self._log.wake(self._topic, partition)

    async def read(
        self, *, timeout_ms: int, max_records: int | None = None
    ) -> dict[int, list[LogRecord]]:
        """Return what has arrived, by partition; wait up to `timeout_ms` for the first record.

        Raises LogGapError where a position lies beyond the end.
        """
        if not self._unread():
            self._check_positions()
            await self._log.wait(self._topic, self._positions, timeout_s=timeout_ms / 1_000)
        asked = {number: self._positions[number] for number in self._unread()}
        if not asked:
            return {}
        arrived = await self._fetch(asked, max_records=max_records)
        # A seek or a pause while these were handed over has made them stale.
        fresh = {
            number: records
            for number, records in arrived.items()
            if records
            and number not in self._paused
            and self._positions.get(number) == asked[number]
        }
        self._positions |= {number: records[-1].offset + 1 for number, records in fresh.items()}
        return fresh

    async def end_offsets(self) -> dict[int, int]:
        """Return the offset after the last record, by partition."""
        return {number: self._log.end(self._topic, number) for number in self._positions}

    async def first_offsets(self) -> dict[int, int]:
        """Return 0 for each partition: nothing is ever trimmed."""
        return dict.fromkeys(self._positions, 0)

    def records_behind(self) -> dict[int, int]:
        """Return how many records are unread, by partition."""
        return {
            number: max(0, self._log.end(self._topic, number) - offset)
            for number, offset in self._positions.items()
        }

    async def _fetch(
        self, positions: Mapping[int, int], *, max_records: int | None
    ) -> Mapping[int, list[LogRecord]]:
        # A reader that is always behind would let nobody else have the loop.
        await asyncio.sleep(0)
        return self._records(positions, max_records=max_records)

    def _records(
        self, positions: Mapping[int, int], *, max_records: int | None
    ) -> dict[int, list[LogRecord]]:
        found: dict[int, list[LogRecord]] = {}
        left = self._bound * len(positions) if max_records is None else max_records
        for number, offset in positions.items():
            found[number] = self._log.records(
                self._topic, number, first_offset=offset, bound=min(left, self._bound)
            )
            left -= len(found[number])
        return found

    def _unread(self) -> list[int]:
        return [
            number
            for number, behind in self.records_behind().items()
            if behind and number not in self._paused
        ]

    def _check_positions(self) -> None:
        for number, offset in self._positions.items():
            if number not in self._paused and offset > self._log.end(self._topic, number):
                raise LogGapError(topic=self._topic, partition=number, needed_offset=offset)
