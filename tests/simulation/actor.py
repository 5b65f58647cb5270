"""A pair's actor in a process that may die, and its client as the router holds it."""

from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any, TypeVar

import msgspec

from actors.book.market import Market
from actors.fold.ports import SnapshotStore
from actors.pair.actor import PairActor
from actors.pair.messages import Position, RangeAnswer, RangeRequest
from actors.platform.config import PairLimits
from actors.platform.errors import PairUnavailableError
from tests.simulation.network import Network

_T = TypeVar("_T")


class ActorProcess:
    """Start the actor again after each crash, from its snapshots."""

    def __init__(
        self,
        actor_class: type[PairActor],
        market: Market,
        snapshots: SnapshotStore,
        limits: PairLimits,
    ) -> None:
        self._start = partial(actor_class, market, snapshots, limits)
        self.actor = self._start()
        self.life = 1

    def crash(self) -> None:
        """Forget all that the actor held, and what it was asked."""
        self.actor = self._start()
        self.life += 1


class SimulatedPair:
    """Call the actor: calls of one client keep their order, those to a dead actor fail."""

    def __init__(self, network: Network, process: ActorProcess, *, channel: str) -> None:
        self._network = network
        self._process = process
        self._channel = channel
        self._life = process.life

    async def position(self) -> Position:
        """Find the actor that lives now, and ask where the pair stands."""
        self._life = self._process.life
        return await self._call("ask the position", lambda actor: actor.position())

    async def rewind(self) -> Position:
        """Send the pair back to its last snapshot."""
        return await self._call("rewind", lambda actor: actor.rewind())

    def apply(self, request: RangeRequest) -> Awaitable[RangeAnswer]:
        """Submit a range now; await its outcome."""
        name = f"apply [{request.first_offset}, {request.next_offset})"
        return self._decoded(self._call(name, lambda actor: actor.answer(request)))

    async def acknowledge(self, next_offset: int) -> None:
        """Say which events are in the log."""
        await self._call("acknowledge", lambda actor: actor.acknowledge(next_offset))

    async def depth_messages(self, *, limit: int, top: int) -> tuple[bytes, bytes]:
        """Ask for the depth."""
        return await self._call("ask the depth", lambda actor: actor.depth_messages(limit, top))

    async def stats(self) -> dict[str, Any]:
        """Ask for the counts."""
        return await self._call("ask the counts", lambda actor: actor.stats())

    def _call(self, name: str, work: Callable[[PairActor], _T]) -> Awaitable[_T]:
        life = self._life

        def effect() -> _T:
            if self._process.life != life:
                raise PairUnavailableError("the actor has died")
            return work(self._process.actor)

        return self._network.carry(
            name, effect, lost=PairUnavailableError("lost"), channel=self._channel
        )

    async def _decoded(self, answer: Awaitable[bytes]) -> RangeAnswer:
        return msgspec.msgpack.decode(await answer, type=RangeAnswer)
