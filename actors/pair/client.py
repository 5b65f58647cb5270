"""A pair's actor reached through Ray: handles found by name, Ray's errors turned into ours."""

import asyncio
from collections.abc import Awaitable
from typing import Any, TypeVar

import msgspec
from ray.actor import ActorHandle
from ray.exceptions import RayError

from actors.pair.messages import Position, RangeAnswer, RangeRequest
from actors.platform.errors import PairUnavailableError
from actors.remote.find import find_actor, pair_actor_name

_T = TypeVar("_T")


class RemotePair:
    """The `PairClient` of one pair, which lives in `actor`; needs an initialised Ray.

    Calls are submitted in order over one handle. A call that takes longer than `timeout_s` is
    given up, though the actor may still carry it out: offsets make that harmless.
    """

    def __init__(self, *, pair: str, actor: str, namespace: str, timeout_s: float = 10.0) -> None:
        self._pair = pair
        self._actor = actor
        self._namespace = namespace
        self._timeout_s = timeout_s
        self._handle: ActorHandle[Any] | None = None

    async def position(self) -> Position:
        """Find the actor by name again and ask where it stands."""
        try:
            self._handle = await asyncio.to_thread(
                find_actor, pair_actor_name(self._actor), self._namespace
            )
        except (ValueError, RayError) as error:
            raise PairUnavailableError(f"{self._pair} has no actor: {error}") from error
        position: Position = await self._call("position")
        return position

    async def rewind(self) -> Position:
        """Send the pair back to its last snapshot; return where it stands then."""
        position: Position = await self._call("rewind")
        return position

    def apply(self, request: RangeRequest) -> Awaitable[RangeAnswer]:
        """Submit a range now; await its outcome."""
        return self._decoded(self._submit("answer", msgspec.msgpack.encode(request)))

    async def acknowledge(self, next_offset: int) -> None:
        """Say that the events of all commands before this offset are in Kafka."""
        await self._call("acknowledge", next_offset)

    async def depth_messages(self, *, limit: int, top: int) -> tuple[bytes, bytes]:
        """Return the depth as two MessagePack `DepthSnapshot`s."""
        messages: tuple[bytes, bytes] = await self._call("depth_messages", limit, top)
        return messages

    async def stats(self) -> dict[str, Any]:
        """Return the pair's figures."""
        stats: dict[str, Any] = await self._call("stats")
        return stats

    def _call(self, method: str, *arguments: Any) -> Awaitable[Any]:
        return self._submit("call", self._pair, method, *arguments)

    def _submit(self, method: str, *arguments: Any) -> Awaitable[Any]:
        if self._handle is None:
            raise PairUnavailableError(f"{self._pair} has no actor yet")
        try:
            reference = getattr(self._handle, method).remote(*arguments)
        except Exception as error:
            # Ray raises a plain Exception for a handle of an actor that it has forgotten.
            raise PairUnavailableError(f"{self._pair}: {error}") from error
        return self._outcome(reference)

    async def _decoded(self, answer: Awaitable[bytes]) -> RangeAnswer:
        return msgspec.msgpack.decode(await answer, type=RangeAnswer)

    async def _outcome(self, reference: Awaitable[_T]) -> _T:
        try:
            async with asyncio.timeout(self._timeout_s):
                return await _await(reference)
        except TimeoutError as error:
            raise PairUnavailableError(
                f"{self._pair} did not answer within {self._timeout_s:g} s"
            ) from error
        except RayError as error:
            raise PairUnavailableError(f"{self._pair}: {type(error).__name__}: {error}") from error


async def _await(reference: Awaitable[_T]) -> _T:
    return await reference
