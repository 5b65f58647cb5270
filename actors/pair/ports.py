"""Seam between a pair's actor and whoever calls it from another process."""

from collections.abc import Awaitable
from typing import Any, Protocol

from actors.pair.messages import Position, RangeAnswer, RangeRequest


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
