"""Seams between the domain and what lies outside: the log, the snapshots, a pair's actor."""

from collections.abc import Awaitable, Iterator
from dataclasses import dataclass
from typing import Any, Protocol

from actors.book.codec import EventRecord
from actors.book.market import Market
from actors.book.records import RecordArray
from actors.messages import Position, RangeAnswer, RangeRequest


@dataclass(frozen=True, kw_only=True, slots=True)
class StoredSnapshot:
    """A book's bytes and where in `orders.new` they were taken.

    `state` may be a view of memory that is used again: who keeps it longer than a call copies it.
    """

    next_offset: int
    commands: int
    last_price_ticks: int
    state: bytes | memoryview


class SnapshotStore(Protocol):
    """Where the snapshots of one pair are kept.

    `begins_empty` says that the pair's log begins with an empty book. Otherwise it begins with the
    oldest snapshot, which is never dropped.
    """

    @property
    def begins_empty(self) -> bool: ...

    def save(self, snapshot: StoredSnapshot) -> None:
        """Keep a snapshot durably, and drop those that are too many.

        Raises OSError. One that gets lost costs the next start a longer replay, nothing else.
        """
        ...

    def load(self) -> Iterator[StoredSnapshot]:
        """Yield the sound snapshots, newest first; unsound ones are logged and passed over."""
        ...


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


class PairClient(Protocol):
    """A pair's actor seen from another process. Every answer may raise PairUnavailableError."""

    async def position(self) -> Position:
        """Return where the pair stands, after finding its actor anew."""
        ...

    async def rewind(self) -> Position:
        """Send the pair back to its last snapshot; return where it stands then."""
        ...

    def apply(self, request: RangeRequest) -> Awaitable[RangeAnswer]:
        """Submit a range at once, so that calls keep their order; await its outcome."""
        ...

    async def acknowledge(self, next_offset: int) -> None:
        """Say that the events of all commands before this offset are in Kafka."""
        ...

    async def depth_messages(self, *, limit: int, top: int) -> tuple[bytes, bytes]:
        """Return the depth as MessagePack `DepthSnapshot`s: of `limit` and of `top` levels."""
        ...

    async def stats(self) -> dict[str, Any]:
        """Return the pair's figures; see `PairActor.stats`."""
        ...
