"""Seams between the domain and Kafka: the log of commands, the events' topics."""

from dataclasses import dataclass
from typing import Protocol

from actors.book.codec import EventRecord
from actors.book.market import Market
from actors.book.records import RecordArray


class CommandLog(Protocol):
    """The writing side of `orders.new`."""

    async def append(self, market: Market, commands: RecordArray) -> int:
        """Return the offset of the record that holds these commands. Raises LogError."""
        ...


@dataclass(frozen=True, kw_only=True, slots=True)
class Published:
    """The last sequences of a pair that the events' topics hold; 0 where there is none.

    `last_events` is the record of `orders.updated` that reaches `events_sequence`.
    """

    events_sequence: int
    trades_sequence: int
    last_events: EventRecord | None


class EventSink(Protocol):
    """The writing side of `orders.updated` and `trades.executed`."""

    async def publish(self, topic: str, market: Market, record: bytes) -> None:
        """Return when every in-sync replica has the record. Raises LogError."""
        ...

    async def published(self, market: Market) -> Published:
        """Read from the ends of both topics how far a pair has been published. Raises LogError."""
        ...
