"""Seam between a fold and where its snapshots are kept."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol


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
