"""The one creator of actors: makes them, waits for them, makes them again when they are gone.

Ray restarts a detached actor for ever by itself. What is left for the supervisor is an actor that
Ray no longer knows, and one that is alive but does not answer. Serve looks after its replicas, but
waits for ever for one that does not come up: that one is ended here, and Serve makes another.
"""

import asyncio
from collections import defaultdict
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import structlog

from actors.pair.builder import pair_actor
from actors.platform.config import Platform
from actors.remote.find import find_actor, generations, is_pair_actor, pair_actor_name
from actors.writer.builder import writer_actor
from actors.writer.status import WRITER_NAME
from analytics.builder import candles_actor
from analytics.client import CANDLES_NAME
from cluster.errors import DeployError
from cluster.platform.nodes import alive_nodes
from cluster.platform.runtime import RayRuntime
from cluster.platform.serve_actors import (
    CONTROLLER,
    end_serve_actor,
    has_started,
    is_serve_actor,
    serve_actors,
)

_log = structlog.get_logger()

_READY_S = 90.0
_PING_S = 5.0
_WATCH_EVERY_S = 2.0
# A pair that restores a large book is silent for that long and must not be shot for it.
_SILENT_S_MAX = 60.0
# Told to end, Serve's controller turns deaf at once and yet waits for its own endless loops; no
# replica is made in that time. It holds up no order to end it, and the next takes some 3 s.
_CONTROLLER_SILENT_S_MAX = 10.0

Maker = Callable[[], Any]


class Supervisor:
    """Keep the pairs' actors, the Postgres writer and the candle aggregator alive."""

    def __init__(self, platform: Platform, runtime: RayRuntime) -> None:
        self._platform = platform
        self._namespace = platform.namespace
        self._runtime = runtime
        self._makers: Mapping[str, Maker] = {
            **{
                pair_actor_name(actor): partial(_placed_pair, platform, actor, index)
                for index, actor in enumerate(platform.topology.actors)
            },
            WRITER_NAME: partial(writer_actor, platform),
            CANDLES_NAME: partial(candles_actor, platform),
        }
        self._silent_s: dict[str, float] = defaultdict(float)
        self._looks_at_replaced: dict[str, int] = {}

    async def make(self) -> dict[str, Any]:
        """Make all actors at once, without waiting for them; return their handles by name.

        Those that live on from an `up` before stay, if they know the same platform as this one.
        """
        return await self._runtime.call(self._make_all)

    async def wait(self, handles: dict[str, Any]) -> None:
        """Wait until each actor answers. Raises DeployError."""
        late = await self._runtime.call(_unanswered, handles, _READY_S)
        if late:
            raise DeployError(f"no answer within {_READY_S:g} s from {', '.join(late)}")

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
        gone = [name for name in self._makers if name not in handles]
        for name in gone:
            _log.warning("actor_gone", actor=name)
            await self._runtime.call(self._makers[name])
        handles |= await self._runtime.call(serve_actors)
        silent = await self._runtime.call(_unanswered, handles, _PING_S)
        self._silent_s = defaultdict(
            float, {name: self._silent_s[name] + _WATCH_EVERY_S + _PING_S for name in silent}
        )
        for name, seconds in self._silent_s.items():
            if seconds > await self._runtime.call(_silent_s_max, name, handles[name]):
                _log.warning("actor_silent", actor=name, seconds=seconds)
                end = end_serve_actor if is_serve_actor(name) else _restart
                await self._runtime.call(end, handles[name])
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

    def _make_all(self) -> dict[str, Any]:
        self._end_strangers()
        found = self._find()
        return {
            name: found[name] if name in found else make() for name, make in self._makers.items()
        }

    def _end_strangers(self) -> None:
        """End actors that this platform does not have, or that were made for another one."""
        import ray

        strangers = [
            ray.get_actor(actor["name"], namespace=self._namespace)
            for actor in ray.util.list_named_actors(all_namespaces=True)
            if actor["namespace"] == self._namespace
            and is_pair_actor(actor["name"])
            and actor["name"].partition("#")[0] not in self._makers
        ]
        handles = self._find()
        for name in _of_other_platforms(handles, self._platform):
            _log.warning("actor_of_another_platform", actor=name)
            strangers.append(handles[name])
        for handle in strangers:
            ray.kill(handle, no_restart=True)

    def _find(self) -> dict[str, Any]:
        handles = {}
        for name in self._makers:
            try:
                handles[name] = find_actor(name, self._namespace)
            except ValueError:
                continue
        return handles

    def _kill_all(self) -> None:
        import ray

        for handle in self._find().values():
            ray.kill(handle, no_restart=True)
        for name in self._replaced():
            ray.kill(ray.get_actor(name, namespace=self._namespace), no_restart=True)

    def _replaced(self) -> list[str]:
        """Return the names of actors of which Ray knows a newer generation."""
        return [
            f"{name}#{generation}" if generation else name
            for name in self._makers
            for generation in generations(name, self._namespace)[1:]
        ]


def _of_other_platforms(handles: dict[str, Any], platform: Platform) -> list[str]:
    """Return the names of actors that were made for another platform, or do not say for which."""
    import ray

    asked = {
        name: handle.__ray_call__.remote(lambda self: self.platform)
        for name, handle in handles.items()
    }
    if asked:
        ray.wait(list(asked.values()), num_returns=len(asked), timeout=_PING_S)
    others = []
    for name, reference in asked.items():
        try:
            known = ray.get(reference, timeout=0)
        except Exception as error:  # a class that has changed since fails as it likes
            _log.warning("actor_ping_failed", actor=name, why=str(error))
            known = None
        if known != platform:
            others.append(name)
    return others


def _unanswered(handles: dict[str, Any], timeout_s: float) -> list[str]:
    """Ping all at once; return the names of those that did not answer well in time."""
    import ray

    names = {handle.__ray_ready__.remote(): name for name, handle in handles.items()}
    done, pending = ray.wait(list(names), num_returns=len(names), timeout=timeout_s)
    late = [names[reference] for reference in pending]
    for reference in done:
        try:
            ray.get(reference)
        except ray.exceptions.RayError as error:
            _log.warning("actor_ping_failed", actor=names[reference], why=str(error))
            late.append(names[reference])
    return late


def _silent_s_max(name: str, handle: Any) -> float:
    """Return how long an actor may be silent before it is ended."""
    return _CONTROLLER_SILENT_S_MAX if name == CONTROLLER and has_started(handle) else _SILENT_S_MAX


def _restart(handle: Any) -> None:
    import ray

    ray.kill(handle, no_restart=False)


def _end(name: str, namespace: str) -> None:
    import ray

    ray.kill(ray.get_actor(name, namespace=namespace), no_restart=True)


def _placed_pair(platform: Platform, actor: str, index: int) -> Any:
    """Make a pair's actor on the node whose turn it is: Ray's own spread may pick one for all."""
    nodes = sorted(node.node_id for node in alive_nodes() if node.takes_pairs)
    return pair_actor(platform, actor, node_id=nodes[index % len(nodes)] if nodes else "")
