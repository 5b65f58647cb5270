"""The pairs' actors seen from another process: one pair in order, or whichever is asked for."""

from collections.abc import Awaitable
from typing import Any, TypeVar

import msgspec
from ray.exceptions import RayTaskError

from actors.pair.messages import Fingerprint, Position, RangeAnswer, RangeRequest
from actors.pair.ports import PairInterface
from actors.platform.errors import PairUnavailableError
from actors.platform.messages import DepthSnapshot
from actors.platform.topology import Topology
from actors.remote.actor import RemoteActor
from actors.remote.find import pair_actor_name

_T = TypeVar("_T")


class RemotePair:
    """The `PairClient` of one pair, which lives in `actor`; needs an initialised Ray.

    Calls are submitted in order over one handle. A call that takes longer than `timeout_s` is
    given up, though the actor may still carry it out: offsets make that harmless.
    """

    def __init__(self, *, pair: str, actor: str, namespace: str, timeout_s: float = 10.0) -> None:
        self._pair = pair
        self._actor = _remote_actor(actor, namespace=namespace, timeout_s=timeout_s)

    async def position(self) -> Position:
        """Find the actor by name again and ask where it stands."""
        await self._actor.find()
        return await _answered(self._actor.submit(PairInterface.position, self._pair))

    async def rewind(self) -> Position:
        """Send the pair back to its last snapshot; return where it stands then."""
        return await _answered(self._actor.submit(PairInterface.rewind, self._pair))

    def apply(self, request: RangeRequest) -> Awaitable[RangeAnswer]:
        """Submit a range now; await its outcome."""
        return _decoded(self._actor.submit(PairInterface.answer, msgspec.msgpack.encode(request)))

    async def acknowledge(self, next_offset: int) -> None:
        """Say that the events of all commands before this offset are in Kafka."""
        await _answered(self._actor.submit(PairInterface.acknowledge, self._pair, next_offset))

    async def depth_messages(self, *, limit: int, top: int) -> tuple[bytes, bytes]:
        """Return the depth as two MessagePack `DepthSnapshot`s."""
        return await _answered(
            self._actor.submit(PairInterface.depth_messages, self._pair, limit, top)
        )

    async def stats(self) -> dict[str, Any]:
        """Return the pair's counts."""
        return await _answered(self._actor.submit(PairInterface.stats, self._pair))


class RemotePairs:
    """All pairs of a platform, for whoever looks at their books; needs an initialised Ray.

    Everything raises PairUnavailableError; an actor that gave no answer is found anew by the next
    call.
    """

    def __init__(self, *, topology: Topology, namespace: str, timeout_s: float = 3.0) -> None:
        self._actors = {
            name: _remote_actor(name, namespace=namespace, timeout_s=timeout_s)
            for name in topology.actors
        }
        self._topology = topology

    async def depth(self, pair: str, limit: int) -> DepthSnapshot:
        """Return at most `limit` levels of each side, best first."""
        return await _answered(self._of(pair).call(PairInterface.depth, pair, limit))

    async def orders(self, pair: str, limit: int) -> tuple[bytes, bytes]:
        """Return bids' and asks' order images (`EVENT_DTYPE` bytes), in priority."""
        return await _answered(self._of(pair).call(PairInterface.orders, pair, limit))

    async def fingerprint(self, pair: str) -> Fingerprint:
        """Return the pair's position and state hash of one moment."""
        return await _answered(self._of(pair).call(PairInterface.fingerprint, pair))

    async def ping(self, actor: str) -> None:
        """Return when one of `topology.actors` answers."""
        await _answered(self._actors[actor].call(PairInterface.ping))

    def _of(self, pair: str) -> RemoteActor[PairInterface]:
        return self._actors[self._topology.actor(pair)]


def _remote_actor(actor: str, *, namespace: str, timeout_s: float) -> RemoteActor[PairInterface]:
    return RemoteActor(
        name=pair_actor_name(actor),
        namespace=namespace,
        timeout_s=timeout_s,
        unavailable=PairUnavailableError,
    )


async def _decoded(answer: Awaitable[bytes]) -> RangeAnswer:
    return msgspec.msgpack.decode(await _answered(answer), type=RangeAnswer)


async def _answered(answer: Awaitable[_T]) -> _T:
    """Await what a pair answers: one that fails at a call may answer the next, as a dead one."""
    try:
        return await answer
    except RayTaskError as error:
        raise PairUnavailableError(f"a pair's actor failed: {error}") from error
