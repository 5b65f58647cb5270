"""The one creator of actors: makes them, waits for them, makes them again when they are gone.

Ray restarts a detached actor for ever by itself. What is left for the supervisor is an actor that
Ray no longer knows, and one that is alive but does not answer. Serve looks after its replicas, but
waits for ever for one that does not come up: that one is ended here, and Serve makes another.
"""

import asyncio
import contextlib
from collections import defaultdict
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, TypeVar

import ray
import structlog
from ray import ObjectRef

from actors.follow.interface import FollowerInterface
from actors.pair.ports import PairInterface
from actors.remote.find import all_generations, find_actor, generations, is_pair_actor
from actors.remote.handle import Handle, gather
from cluster.errors import DeployError
from cluster.plan import Platform
from cluster.platform.actors import FOLLOWERS, planned_actors
from cluster.platform.runtime import RayRuntime
from cluster.platform.serve_actors import CONTROLLER, has_started, serve_actors

_log = structlog.get_logger()

_R = TypeVar("_R")

_READY_S = 90.0
_PING_S = 5.0
_WATCH_EVERY_S = 2.0
# A pair that restores a large book is silent for that long and must not be shot for it.
_SILENT_S_MAX = 60.0
# Told to end, Serve's controller turns deaf at once and yet waits for its own endless loops; no
# replica is made in that time. It holds up no order to end it, and the next takes some 3 s.
_CONTROLLER_SILENT_S_MAX = 10.0
# A follower that is told only notes the markets; its process may be busy with a transaction.
_FOLLOW_S = 15.0


class Supervisor:
    """Keep the pairs' actors, the Postgres writer and the candle aggregator alive."""

    def __init__(self, platform: Platform, runtime: RayRuntime) -> None:
        self._namespace = platform.namespace
        self._runtime = runtime
        self._planned = planned_actors(platform)
        self._silent_s: dict[str, float] = defaultdict(float)
        self._looks_at_replaced: dict[str, int] = {}

    async def make(self) -> dict[str, Handle[Any]]:
        """Make all actors at once, without waiting for them; return their handles by name.

        Those that live on from an `up` before stay where they work with the config that they would
        be given now. Writer and candles are told of other markets; for anything else than that an
        actor is ended and made anew.
        """
        return await self._runtime.call(self._make_all)

    async def wait(self, handles: Mapping[str, Handle[Any]]) -> None:
        """Wait until each actor answers. Raises DeployError."""
        late = await self._runtime.call(_unanswered, handles, _READY_S)
        if late:
            raise DeployError(f"no answer within {_READY_S:g} s from {', '.join(sorted(late))}")

    async def watch(self) -> None:
        """Look after the actors until cancelled."""
        while True:
            await asyncio.sleep(_WATCH_EVERY_S)
            try:
                await self._look()
            except Exception as error:  # the watch must outlive whatever it meets
                _log.warning("supervisor_look_failed", why=str(error))

    async def remove(self) -> None:
        """Kill the actors of this platform, for a Ray that outlives us."""
        await self._runtime.call(self._kill_all)

    async def _look(self) -> None:
        await self._finish_moves()
        handles = await self._runtime.call(self._find)
        for name, planned in self._planned.items():
            if name not in handles:
                _log.warning("actor_gone", actor=name)
                await self._runtime.call(planned.make)
        handles |= await self._runtime.call(serve_actors)
        silent = await self._runtime.call(_unanswered, handles, _PING_S)
        # A follower that Ray has restarted knows no other markets than it was made with.
        followers = {name: handles[name] for name in FOLLOWERS if name in handles.keys() - silent}
        await self._runtime.call(self._agreed, followers)
        self._silent_s = defaultdict(
            float, {name: self._silent_s[name] + _WATCH_EVERY_S + _PING_S for name in silent}
        )
        for name, seconds in self._silent_s.items():
            if seconds > await self._runtime.call(_silent_s_max, name, handles[name]):
                _log.warning("actor_silent", actor=name, seconds=seconds)
                await self._runtime.call(handles[name].restart)
                self._silent_s[name] = 0.0

    async def _finish_moves(self) -> None:
        """End actors whose place another took, where whoever moved them did not get to it."""
        replaced = await self._runtime.call(self._replaced)
        self._looks_at_replaced = {
            name: self._looks_at_replaced.get(name, 0) + 1 for name in replaced
        }
        for name, looks in self._looks_at_replaced.items():
            if looks * _WATCH_EVERY_S > _SILENT_S_MAX:
                _log.warning("actor_replaced", actor=name)
                await self._runtime.call(_end, name, self._namespace)

    def _make_all(self) -> dict[str, Handle[Any]]:
        self._end_strangers()
        found = self._find()
        agreed = self._agreed(found)
        for name in found.keys() - agreed:
            _log.warning("actor_of_another_platform", actor=name)
            del found[name]
            # An older generation, left by a move, would otherwise be taken for the one to be made.
            for generation in generations(name, self._namespace):
                _end(_numbered(name, generation), self._namespace)
        return {
            name: found[name] if name in found else planned.make()
            for name, planned in self._planned.items()
        }

    def _end_strangers(self) -> None:
        """End pair actors that this platform does not have."""
        for actor in ray.util.list_named_actors(all_namespaces=True):
            name = actor["name"]
            if (
                actor["namespace"] == self._namespace
                and is_pair_actor(name)
                and name.partition("#")[0] not in self._planned
            ):
                _end(name, self._namespace)

    def _agreed(self, handles: Mapping[str, Handle[Any]]) -> set[str]:
        """Return the names of those that work as planned or, followers, were told of the markets.

        One that was told stores what has arrived before it goes on with the markets.
        """
        asked = _submitted(
            {name: partial(each.submit, PairInterface.config) for name, each in handles.items()}
        )
        known, failures = gather(asked, timeout_s=_PING_S)
        agreed = {name for name, config in known.items() if self._planned[name].is_met_by(config)}
        news = {name: self._planned[name].news(known[name]) for name in known.keys() - agreed}
        told, untold = gather(
            _submitted(
                {
                    name: partial(handles[name].submit, FollowerInterface.follow, topology)
                    for name, topology in news.items()
                    if topology is not None
                }
            ),
            timeout_s=_FOLLOW_S,
        )
        for name, why in (failures | untold).items():
            _log.warning("actor_ping_failed", actor=name, why=why)
        return agreed | told.keys()

    def _find(self) -> dict[str, Handle[Any]]:
        handles = {}
        known = all_generations(self._namespace)
        for name in self._planned:
            try:
                handles[name] = find_actor(name, self._namespace, known)
            except ValueError:
                continue
        return handles

    def _kill_all(self) -> None:
        for handle in self._find().values():
            handle.end()
        for name in self._replaced():
            _end(name, self._namespace)

    def _replaced(self) -> list[str]:
        """Return the names of actors of which Ray knows a newer generation."""
        known = all_generations(self._namespace)
        return [
            _numbered(name, generation)
            for name in self._planned
            for generation in known.get(name, [])[1:]
        ]


def _submitted(calls: Mapping[str, Callable[[], ObjectRef[_R]]]) -> dict[str, ObjectRef[_R]]:
    """Submit calls to actors of any kind; one of an older build may not have the method."""
    submitted = {}
    for name, call in calls.items():
        try:
            submitted[name] = call()
        except Exception as error:  # Ray raises a plain one for an actor that it has forgotten
            _log.warning("actor_ping_failed", actor=name, why=str(error))
    return submitted


def _unanswered(handles: Mapping[str, Handle[Any]], timeout_s: float) -> set[str]:
    """Ping all at once; return the names of those that did not answer well in time."""
    pings = {name: handle.ready() for name, handle in handles.items()}
    _, failures = gather(pings, timeout_s=timeout_s)
    for name, why in failures.items():
        _log.warning("actor_ping_failed", actor=name, why=why)
    return set(failures)


def _silent_s_max(name: str, handle: Handle[Any]) -> float:
    """Return how long an actor may be silent before it is ended."""
    return _CONTROLLER_SILENT_S_MAX if name == CONTROLLER and has_started(handle) else _SILENT_S_MAX


def _numbered(name: str, generation: int) -> str:
    return f"{name}#{generation}" if generation else name


def _end(name: str, namespace: str) -> None:
    """End an actor, which may be gone by now."""
    with contextlib.suppress(ValueError):
        Handle[Any](ray.get_actor(name, namespace=namespace)).end()
