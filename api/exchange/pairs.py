"""The pairs' actors as the gateway asks them: for what Redis does not have."""

import asyncio
from typing import Any, Protocol

import numpy as np
from ray.exceptions import RayError

from actors.book.records import EVENT_DTYPE, RecordArray
from actors.pair.messages import Fingerprint
from actors.platform.errors import PairUnavailableError
from actors.platform.messages import DepthSnapshot
from actors.platform.topology import Topology
from actors.remote.find import find_actor, pair_actor_name
from actors.writer.status import WRITER_NAME, WriterStatus

_TIMEOUT_S = 3.0


class PairViews(Protocol):
    """Whoever knows the pairs' books. Everything may raise PairUnavailableError."""

    async def depth(self, pair: str, limit: int) -> DepthSnapshot:
        """Return at most `limit` levels of each side, best first."""
        ...

    async def orders(self, pair: str, limit: int) -> tuple[bytes, bytes]:
        """Return bids' and asks' order images (`EVENT_DTYPE` bytes), in priority."""
        ...

    async def fingerprint(self, pair: str) -> Fingerprint:
        """Return the pair's position and state hash of one moment."""
        ...

    async def ping(self, actor: str) -> None:
        """Return when the actor of this name answers."""
        ...

    async def writer(self) -> WriterStatus:
        """Return how the Postgres writer stands."""
        ...


def order_images(images: bytes) -> RecordArray:
    """Return the images (`EVENT_DTYPE`) of `PairViews.orders`."""
    return np.frombuffer(images, EVENT_DTYPE)


class RemotePairViews:
    """The `PairViews` of a platform; needs an initialised Ray."""

    def __init__(self, *, topology: Topology, namespace: str) -> None:
        self._topology = topology
        self._namespace = namespace
        self._handles: dict[str, Any] = {}

    async def depth(self, pair: str, limit: int) -> DepthSnapshot:
        """Return at most `limit` levels of each side, best first."""
        depth: DepthSnapshot = await self._ask(pair, "depth", limit)
        return depth

    async def orders(self, pair: str, limit: int) -> tuple[bytes, bytes]:
        """Return bids' and asks' order images (`EVENT_DTYPE` bytes), in priority."""
        images: tuple[bytes, bytes] = await self._ask(pair, "orders", limit)
        return images

    async def fingerprint(self, pair: str) -> Fingerprint:
        """Return the pair's position and state hash of one moment."""
        found: Fingerprint = await self._ask(pair, "fingerprint")
        return found

    async def ping(self, actor: str) -> None:
        """Return when the actor of this name answers."""
        await self._call(actor, "ping")

    async def writer(self) -> WriterStatus:
        """Return how the Postgres writer stands."""
        status: WriterStatus = await self._call(WRITER_NAME, "status")
        return status

    async def _ask(self, pair: str, method: str, *arguments: Any) -> Any:
        actor = pair_actor_name(self._topology.actor(pair))
        return await self._call(actor, "call", pair, method, *arguments)

    async def _call(self, actor: str, method: str, *arguments: Any) -> Any:
        try:
            async with asyncio.timeout(_TIMEOUT_S):
                if actor not in self._handles:
                    self._handles[actor] = await asyncio.to_thread(
                        find_actor, actor, self._namespace
                    )
                return await getattr(self._handles[actor], method).remote(*arguments)
        except (ValueError, TimeoutError, RayError) as error:
            # A restarted actor keeps its handle, one that was made anew does not.
            self._handles.pop(actor, None)
            raise PairUnavailableError(f"{actor} does not answer: {error!r}") from error
