"""Seams between the pairs' actors and whoever calls them from another process."""

from collections.abc import Awaitable
from typing import Any, Protocol

from actors.fold.ports import StoredSnapshot
from actors.pair.messages import Fingerprint, Position, RangeAnswer, RangeRequest
from actors.platform.config import PairConfig
from actors.platform.messages import DepthSnapshot
from actors.stream.endpoint import Endpoint


class PairInterface(Protocol):
    """What an actor that carries pairs answers through Ray; `PairActor` does the work.

    Routers ask by stream for everything else, and for positions and counts too.
    """

    def config(self) -> PairConfig:
        """Return what the actor was made for."""
        ...

    def ping(self) -> list[str]:
        """Return the pairs, as a sign of life."""
        ...

    def endpoint(self) -> Endpoint:
        """Return where the actor takes `PairRequest`s by stream."""
        ...

    def position(self, pair: str) -> Position: ...

    def depth(self, pair: str, limit: int) -> DepthSnapshot: ...

    def orders(self, pair: str, limit: int) -> tuple[bytes, bytes]: ...

    def fingerprint(self, pair: str) -> Fingerprint: ...

    def stats(self, pair: str) -> dict[str, Any]: ...

    def export(self, pair: str) -> StoredSnapshot: ...

    def adopt(self, pair: str, snapshot: StoredSnapshot) -> Position: ...


class PairClient(Protocol):
    """A pair's actor seen from another process.

    Every answer may raise PairUnavailableError, and every request StreamFullError: then nothing was
    sent.
    """

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
        """Return the pair's counts; see `PairActor.stats`."""
        ...
