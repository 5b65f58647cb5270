"""Seams between the platform and its log: who appends, who reads, and who connects them."""

import asyncio
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from actors.book.codec import EventRecord
from actors.book.market import Market
from actors.book.records import RecordArray
from actors.platform.topology import Topology


class LogRecord(NamedTuple):
    """One record as it lies in a partition."""

    offset: int
    value: bytes


@dataclass(frozen=True, kw_only=True, slots=True)
class Published:
    """The last sequences of a pair that the events' topics hold; 0 where there is none.

    `last_events` is the record of `orders.updated` that reaches `events_sequence`.
    """

    events_sequence: int
    trades_sequence: int
    last_events: EventRecord | None


class Connection(Protocol):
    """What is connected before it is used."""

    async def start(self) -> None:
        """Connect. Raises LogUnavailableError while no broker answers."""
        ...

    async def stop(self) -> None:
        """Send what is pending and disconnect."""
        ...


class Producer(Connection, Protocol):
    """The writing side of any topic."""

    async def send(self, *, topic: str, partition: int, key: bytes, value: bytes) -> int:
        """Return the record's offset once every in-sync replica has it. Raises LogError.

        -1 stands for a repeat that was confirmed without its offset.
        """
        ...

    async def begin(
        self, *, topic: str, partition: int, key: bytes, value: bytes
    ) -> asyncio.Future[int] | None:
        """Take a record; return the future of what `send` returns or raises.

        None, and nothing taken, where that needs a wait for the log first.
        """
        ...


class CommandLog(Connection, Protocol):
    """The writing side of `orders.new`."""

    @property
    def pending_commands(self) -> int:
        """Return how many commands wait for the log's word."""
        ...

    async def append(self, market: Market, commands: RecordArray) -> int:
        """Return the offset of the record that holds these commands. Raises LogError."""
        ...


class EventSink(Connection, Protocol):
    """The writing side of `orders.updated` and `trades.executed`."""

    async def publish(self, topic: str, market: Market, record: bytes) -> None:
        """Return when every in-sync replica has the record. Raises LogError."""
        ...

    async def published(self, market: Market) -> Published:
        """Read from the ends of both topics how far a pair has been published. Raises LogError."""
        ...


class LogEnds(Connection, Protocol):
    """Whoever knows where the partitions of one topic end."""

    async def end_offsets(self, partitions: Iterable[int]) -> dict[int, int]:
        """Return the offset after the last record, by partition. Raises LogError."""
        ...


class LogReader(Protocol):
    """A reader of some partitions of one topic, which knows its place."""

    @property
    def positions(self) -> dict[int, int]:
        """Return the offset that will be read next, by partition."""
        ...

    async def start(self, positions: Mapping[int, int | None]) -> None:
        """Connect and stand at these offsets; None is the partition's end as it is now.

        Raises LogError.
        """
        ...

    async def stop(self) -> None:
        """Disconnect."""
        ...

    def seek(self, partition: int, offset: int) -> None:
        """Read this partition from `offset` on."""
        ...

    def pause(self, partition: int) -> None:
        """Leave this partition unread until it is resumed; its position stays."""
        ...

    def resume(self, partition: int) -> None:
        """Read this partition again."""
        ...

    async def read(
        self, *, timeout_ms: int, max_records: int | None = None
    ) -> dict[int, list[LogRecord]]:
        """Return what has arrived, by partition; wait up to `timeout_ms` for the first record.

        Raises LogGapError where the log does not hold the next offset, and LogError.
        """
        ...

    async def end_offsets(self) -> dict[int, int]:
        """Return the offset after the last record, by partition. Raises LogError."""
        ...

    async def first_offsets(self) -> dict[int, int]:
        """Return the offset of the oldest record kept, by partition. Raises LogError."""
        ...

    def records_behind(self) -> dict[int, int]:
        """Return how many records the log held beyond each position when last asked."""
        ...


class Log(Protocol):
    """Whoever makes connections to one log; each is started and stopped by who asked for it."""

    def commands(self, *, topology: Topology, pending_commands: int, client_id: str) -> CommandLog:
        """Return a writer of commands, of which `pending_commands` may be on their way at once."""
        ...

    def sink(self, *, topology: Topology, client_id: str) -> EventSink:
        """Return a writer of events."""
        ...

    def ends(self, *, topic: str, client_id: str, timeout_s: float = 5.0) -> LogEnds:
        """Return what names the ends of a topic, each time within `timeout_s`."""
        ...

    def reader(
        self, *, topic: str, client_id: str, wait_ms: int = 500, ahead: bool = True
    ) -> LogReader:
        """Return a reader of a topic; the log answers it after `wait_ms`, also with nothing.

        With `ahead` records are fetched before they are asked for.
        """
        ...
