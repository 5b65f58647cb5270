"""What a follower asks of the consumer that it works for."""

from typing import Protocol, TypeVar

from actors.follow.positions import MarketPosition
from actors.follow.tail import MarketTail
from actors.platform.topology import Topology


class Store(Protocol):
    """A connection to what the consumer stores."""

    async def close(self) -> None:
        """Close the connection; raises nothing."""
        ...


StoreT = TypeVar("StoreT", bound=Store)
BatchT = TypeVar("BatchT")
BatchT_co = TypeVar("BatchT_co", covariant=True)


class Intake(Protocol[BatchT_co]):
    """What takes records in until somebody takes them out as a batch.

    `faults` says by market id what was wrong with a market's records.
    """

    faults: dict[int, str]

    @property
    def pending(self) -> int:
        """How much has been added and not been taken: events, trades."""
        ...

    def add(self, *, market_id: int, offset: int, value: bytes) -> None:
        """Add the record at this offset of a market's partition."""
        ...

    def take(self) -> BatchT_co | None:
        """Return what was added since the last call, None where no position has moved."""
        ...


class Consumer(Protocol[StoreT, BatchT]):
    """Whoever turns records of the log into something stored, with its position.

    Whatever is raised here ends the follower's connections; it then begins with `open_store`.
    """

    async def open_store(self) -> StoreT:
        """Connect to what is stored. Raises OSError, TimeoutError and asyncpg's errors."""
        ...

    async def restore(self, store: StoreT, topology: Topology) -> tuple[MarketPosition, ...]:
        """Return the stored position of every market of the topology, and remember the rest."""
        ...

    async def open_tail(
        self, topology: Topology, positions: tuple[MarketPosition, ...]
    ) -> MarketTail:
        """Connect to the log from these positions on. Raises LogError."""
        ...

    def intake(self, positions: tuple[MarketPosition, ...]) -> Intake[BatchT]:
        """Return an empty intake that goes on from these positions."""
        ...

    async def write(self, store: StoreT, batch: BatchT) -> None:
        """Store a batch and its positions in one transaction. Raises PositionTakenError."""
        ...
