"""The supervisor on a real Ray: it makes actors once, and again when Ray has lost them."""

import asyncio
import time
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import ray

from actors.platform.config import Platform
from actors.platform.topology import Topology
from actors.remote.find import find_actor, pair_actor_name
from cluster.platform.runtime import RayRuntime, remove
from cluster.platform.supervisor import Supervisor

_NAMESPACE = "forkast-supervisor-test"
_PAIR = "BTC-USD"


@pytest.fixture
async def runtime(ray_session: str) -> AsyncIterator[RayRuntime]:
    """A runtime on the Ray of the session."""
    runtime = RayRuntime(address="", object_store_mb=80)
    yield runtime
    remove(runtime.directory)


@pytest.fixture
async def supervisor(
    platform: Platform, runtime: RayRuntime, tmp_path: Path
) -> AsyncIterator[Supervisor]:
    """A supervisor of one market in a namespace of its own."""
    own = replace(
        platform,
        topology=Topology((platform.topology.market(_PAIR),)),
        namespace=_NAMESPACE,
        data_directory=str(tmp_path),
    )
    supervisor = Supervisor(own, runtime)
    yield supervisor
    await supervisor.remove()


async def test_actors_are_made_once_and_again_when_ray_has_lost_them(
    supervisor: Supervisor,
) -> None:
    handles = await supervisor.make()
    await supervisor.wait(handles)
    assert set(handles) == {pair_actor_name(_PAIR), "writer", "candles"}
    again = await supervisor.make()
    assert {name: _identity(handle) for name, handle in again.items()} == {
        name: _identity(handle) for name, handle in handles.items()
    }
    lost = handles[pair_actor_name(_PAIR)]
    watch = asyncio.create_task(supervisor.watch())
    try:
        await asyncio.to_thread(ray.kill, lost, no_restart=True)
        made = await asyncio.to_thread(_another, pair_actor_name(_PAIR), lost)
        assert await asyncio.to_thread(ray.get, made.call.remote(_PAIR, "position"), timeout=60)
    finally:
        watch.cancel()
        await asyncio.gather(watch, return_exceptions=True)


async def test_actors_of_another_platform_are_made_anew_and_those_of_none_end(
    supervisor: Supervisor, platform: Platform, runtime: RayRuntime, tmp_path: Path
) -> None:
    handles = await supervisor.make()
    await supervisor.wait(handles)
    pairs = (_PAIR, "ETH-USD")
    grown = replace(
        platform,
        topology=Topology(
            tuple(platform.topology.market(pair) for pair in pairs),
            shared=dict.fromkeys(pairs, "quiet"),
        ),
        namespace=_NAMESPACE,
        data_directory=str(tmp_path),
    )
    following = Supervisor(grown, runtime)
    try:
        made = await following.make()
        await following.wait(made)
        assert set(made) == {pair_actor_name("quiet"), "writer", "candles"}
        assert not {_identity(one) for one in made.values()} & {
            _identity(one) for one in handles.values()
        }
        answered = made[pair_actor_name("quiet")].ping.remote()
        assert await asyncio.to_thread(ray.get, answered, timeout=60) == list(pairs)
        with pytest.raises(ValueError, match="actor"):
            await asyncio.to_thread(find_actor, pair_actor_name(_PAIR), _NAMESPACE)
    finally:
        await following.remove()


def _identity(handle: Any) -> str:
    return str(handle._actor_id.hex())


def _another(name: str, lost: Any) -> Any:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        try:
            found = ray.get_actor(name, namespace=_NAMESPACE)
        except ValueError:
            found = lost
        if _identity(found) != _identity(lost):
            return found
        time.sleep(0.2)
    raise AssertionError(f"{name} was not made again")
