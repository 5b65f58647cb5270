"""An actor of ours called from another process: found by name, Ray's errors turned into ours."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, Concatenate, Generic, ParamSpec, TypeVar, overload

from ray import ObjectRef
from ray.exceptions import RayError, RayTaskError

from actors.platform.errors import ActorUnavailableError
from actors.remote.find import find_actor
from actors.remote.handle import Handle

_A = TypeVar("_A", covariant=True)
_P = ParamSpec("_P")
_R = TypeVar("_R")


class RemoteActor(Generic[_A]):
    """The newest generation of an actor with the methods of `_A`; needs an initialised Ray.

    An answer that takes longer than `timeout_s` is given up, though the actor may still do what it
    was asked. An actor that is not there, restarts or is silent raises `unavailable`. What a method
    itself raises comes as Ray's RayTaskError, which is an instance of that error's class too.
    """

    def __init__(
        self,
        *,
        name: str,
        namespace: str,
        timeout_s: float,
        unavailable: type[ActorUnavailableError] = ActorUnavailableError,
    ) -> None:
        self._name = name
        self._namespace = namespace
        self._timeout_s = timeout_s
        self._unavailable = unavailable
        self._handle: Handle[_A] | None = None

    async def find(self) -> None:
        """Find the actor's newest generation now, whatever was found before."""
        try:
            self._handle = await asyncio.to_thread(find_actor, self._name, self._namespace)
        except (ValueError, RayError) as error:
            raise self._unavailable(f"there is no actor {self._name}: {error}") from error

    @overload
    def submit(
        self,
        method: Callable[Concatenate[_A, _P], Coroutine[Any, Any, _R]],
        *arguments: _P.args,
        **named: _P.kwargs,
    ) -> Awaitable[_R]: ...

    @overload
    def submit(
        self, method: Callable[Concatenate[_A, _P], _R], *arguments: _P.args, **named: _P.kwargs
    ) -> Awaitable[_R]: ...

    def submit(self, method: Callable[..., Any], *arguments: Any, **named: Any) -> Awaitable[Any]:
        """Submit a call now, to the actor that was found last; await its answer.

        Calls keep their order, as all go over one handle. A method that the actor does not have and
        arguments that it does not take are bugs: AttributeError and TypeError come as they are.
        """
        if self._handle is None:
            raise self._unavailable(f"{self._name} has not been found yet")
        try:
            reference = self._handle.submit(method, *arguments, **named)
        except Exception as error:
            # Ray raises a plain Exception for a handle of an actor that it has forgotten.
            if not isinstance(error, RayError) and type(error) is not Exception:
                raise
            raise self._unavailable(f"{self._name}: {error}") from error
        return self._answer(reference)

    @overload
    async def call(
        self,
        method: Callable[Concatenate[_A, _P], Coroutine[Any, Any, _R]],
        *arguments: _P.args,
        **named: _P.kwargs,
    ) -> _R: ...

    @overload
    async def call(
        self, method: Callable[Concatenate[_A, _P], _R], *arguments: _P.args, **named: _P.kwargs
    ) -> _R: ...

    async def call(self, method: Callable[..., Any], *arguments: Any, **named: Any) -> Any:
        """Return a call's answer; the actor is found first where the last call got none.

        A restarted actor keeps its handle, one that was made anew does not.
        """
        try:
            async with asyncio.timeout(self._timeout_s):
                if self._handle is None:
                    await self.find()
                return await self.submit(method, *arguments, **named)
        except RayTaskError:
            raise
        except TimeoutError as error:
            self._handle = None
            raise self._unavailable(self._silent()) from error
        except ActorUnavailableError:
            self._handle = None
            raise

    async def _answer(self, reference: ObjectRef[_R]) -> _R:
        try:
            async with asyncio.timeout(self._timeout_s):
                return await reference
        except RayTaskError:
            raise
        except TimeoutError as error:
            raise self._unavailable(self._silent()) from error
        except RayError as error:
            raise self._unavailable(f"{self._name}: {type(error).__name__}: {error}") from error

    def _silent(self) -> str:
        return f"{self._name} did not answer within {self._timeout_s:g} s"
