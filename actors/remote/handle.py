"""A living actor with the methods of its Protocol: a misspelt one is an error of types.

A call names a function of the Protocol, `handle.submit(PairInterface.depth, pair, 20)`, so that
arguments and answer have their types too.
"""

from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass
from typing import Any, Concatenate, Generic, ParamSpec, TypeVar, cast, overload

import ray
from ray import ObjectRef
from ray.actor import ActorHandle
from ray.exceptions import GetTimeoutError, RayError

from actors.platform.errors import ActorUnavailableError

_A = TypeVar("_A", covariant=True)
_P = ParamSpec("_P")
_R = TypeVar("_R")


@dataclass(frozen=True)
class Handle(Generic[_A]):
    """Ray's handle of an actor that has the methods of `_A`. Calls over it keep their order.

    Two are equal that are of the same actor.
    """

    actor: ActorHandle[Any]

    @property
    def actor_id(self) -> str:
        """Return Ray's own name of the actor: one that was made anew has another."""
        return str(self.actor._actor_id.hex())

    @overload
    def submit(
        self,
        method: Callable[Concatenate[_A, _P], Coroutine[Any, Any, _R]],
        *arguments: _P.args,
        **named: _P.kwargs,
    ) -> ObjectRef[_R]: ...

    @overload
    def submit(
        self, method: Callable[Concatenate[_A, _P], _R], *arguments: _P.args, **named: _P.kwargs
    ) -> ObjectRef[_R]: ...

    def submit(self, method: Callable[..., Any], *arguments: Any, **named: Any) -> ObjectRef[Any]:
        """Submit a call at once; return Ray's reference of its answer.

        Raises AttributeError where the actor is of a build without this method, and whatever Ray
        raises for an actor that it has forgotten.
        """
        reference: ObjectRef[Any] = getattr(self.actor, method.__name__).remote(*arguments, **named)
        return reference

    def run(self, function: Callable[[Any], _R]) -> ObjectRef[_R]:
        """Submit a function of the actor itself."""
        reference: ObjectRef[_R] = self.actor.__ray_call__.remote(function)
        return reference

    def ready(self) -> ObjectRef[Any]:
        """Submit a ping, which any actor answers, whatever its class."""
        reference: ObjectRef[Any] = self.actor.__ray_ready__.remote()
        return reference

    def restart(self) -> None:
        """End the actor's process; Ray makes another, where the actor was made to be restarted."""
        ray.kill(self.actor, no_restart=False)

    def end(self) -> None:
        """End the actor for good."""
        ray.kill(self.actor, no_restart=True)


def passed_on(reference: ObjectRef[_R]) -> _R:
    """Return an answer as another call's argument: it goes from actor to actor, not through us."""
    return cast("_R", reference)


def ask(reference: ObjectRef[_R], *, timeout_s: float) -> _R:
    """Wait for an answer. Raises ActorUnavailableError."""
    try:
        return ray.get(reference, timeout=timeout_s)
    except RayError as error:
        raise ActorUnavailableError(f"an actor did not answer: {error}") from error


def gather(
    references: Mapping[str, ObjectRef[_R]], *, timeout_s: float
) -> tuple[dict[str, _R], dict[str, str]]:
    """Wait for several answers at once, by name; return those that came and why others did not."""
    if references:
        ray.wait(list(references.values()), num_returns=len(references), timeout=timeout_s)
    answers, failures = {}, {}
    for name, reference in references.items():
        try:
            answers[name] = ray.get(reference, timeout=0)
        except GetTimeoutError:
            failures[name] = f"no answer within {timeout_s:g} s"
        except Exception as error:  # an answer of a class that has changed since fails as it likes
            failures[name] = str(error)
    return answers, failures
