"""What calls to pairs' actors through Ray have in common."""

from collections.abc import Awaitable
from typing import TypeVar

from ray.exceptions import RayTaskError

from actors.pair.ports import PairInterface
from actors.platform.errors import PairUnavailableError
from actors.remote.actor import RemoteActor
from actors.remote.find import pair_actor_name

_T = TypeVar("_T")


def pair_host(actor: str, *, namespace: str, timeout_s: float) -> RemoteActor[PairInterface]:
    """Return one of `topology.actors`, to be called through Ray."""
    return RemoteActor(
        name=pair_actor_name(actor),
        namespace=namespace,
        timeout_s=timeout_s,
        unavailable=PairUnavailableError,
    )


async def answered(answer: Awaitable[_T]) -> _T:
    """Await what an actor answers: one that fails at a call may answer the next, as a dead one."""
    try:
        return await answer
    except RayTaskError as error:
        raise PairUnavailableError(f"a pair's actor failed: {error}") from error
