"""The router as a Serve deployment: deployed, healthy, replaced when it dies."""

import asyncio
import contextlib
import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest
import ray
from ray import serve

from actors.pair.builder import pair_actor
from actors.pair.ports import PairInterface
from actors.platform.config import Servers
from actors.router.builder import router_app
from cluster.platform.runtime import RayRuntime, remove
from cluster.platform.supervisor import Supervisor
from tests.beds.commands import flow
from tests.beds.leases import MarketLeases
from tests.beds.routing import (
    Judge,
    append_singly,
    command_log,
    make_platform,
)
from tests.beds.waiting import until

_ROUTER = "ServeReplica:router-0"


@pytest.fixture
def serve_session(ray_session: str) -> Iterator[None]:
    serve.start(proxy_location="Disabled")
    yield
    serve.shutdown()  # type: ignore[no-untyped-call]


def _processes(named: str) -> list[psutil.Process]:
    """Return the processes of a name that descend from this session's Ray.

    A whole platform may run as another child of this process, with a router of its own.
    """
    return [
        process
        for child in psutil.Process().children()
        if "cluster.cli" not in _command(child)
        for process in [child, *child.children(recursive=True)]
        if named in _command(process)
    ]


def _command(process: psutil.Process) -> str:
    try:
        return " ".join(process.cmdline())
    except psutil.Error:
        return ""


def _router_process() -> int:
    (replica,) = _processes(_ROUTER)
    return replica.pid


def _stop_the_next(known: int) -> psutil.Process:
    """Freeze the replica that Serve is just making, before it has come up."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        for process in _processes(_ROUTER):
            if process.pid != known:
                process.suspend()
                return process
    raise AssertionError("no other replica was made")


async def test_a_router_replica_that_is_killed_is_replaced_and_nothing_is_missing(
    servers: Servers, leases: MarketLeases, serve_session: None, tmp_path: Path
) -> None:
    one = await leases.market()
    platform = make_platform(servers, [one], tmp_path)
    actor = await asyncio.to_thread(
        pair_actor, platform.pair(one.pair), actor=one.pair, namespace=platform.namespace
    )
    handle: Any = await asyncio.to_thread(
        serve.run, router_app(platform.router()), name="router-0", route_prefix=None
    )
    try:
        async with command_log(platform) as log:
            await append_singly(log, one, flow(300))
            await Judge(platform, one).rule()
            before = await asyncio.to_thread(_router_process)
            await append_singly(log, one, flow(300, first_order_id=1_000))
            os.kill(before, signal.SIGKILL)
            await append_singly(log, one, flow(300, first_order_id=2_000))
            expected = await Judge(platform, one).rule()
            found = await actor.submit(PairInterface.fingerprint, one.pair)
            assert found.state_hash == expected

            async def measured() -> bool:
                lags = await handle.lags.remote()
                return one.pair in lags and lags[one.pair].available

            await until(measured, what="the new replica's metrics")
    finally:
        await asyncio.to_thread(serve.delete, "router-0")
        actor.end()


async def test_a_controller_that_turned_deaf_is_ended_and_replicas_are_made_again(
    servers: Servers,
    leases: MarketLeases,
    serve_session: None,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("cluster.platform.supervisor._CONTROLLER_SILENT_S_MAX", 3.0)
    platform = make_platform(servers, [await leases.market()], tmp_path)
    runtime = RayRuntime(address="", object_store_mb=80)
    supervisor = Supervisor(platform, runtime)
    await asyncio.to_thread(
        serve.run, router_app(platform.router()), name="router-0", route_prefix=None
    )
    watch = asyncio.create_task(supervisor.watch())
    try:
        (told,) = await asyncio.to_thread(_processes, "ray::ServeController")
        told.suspend()
        before = await asyncio.to_thread(_router_process)
        os.kill(before, signal.SIGKILL)

        async def is_replaced() -> bool:
            running = await asyncio.to_thread(_processes, _ROUTER)
            return bool(running) and running[0].pid != before

        await until(is_replaced, within_s=50.0, what="another replica")
        assert not told.is_running()
    finally:
        watch.cancel()
        await asyncio.gather(watch, return_exceptions=True)
        await supervisor.remove()
        await asyncio.to_thread(serve.delete, "router-0")
        await asyncio.to_thread(remove, runtime.directory)


async def test_a_replica_that_hangs_as_it_starts_is_ended_and_made_again(
    servers: Servers,
    leases: MarketLeases,
    serve_session: None,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("cluster.platform.supervisor._SILENT_S_MAX", 6.0)
    platform = make_platform(servers, [await leases.market()], tmp_path)
    runtime = RayRuntime(address="", object_store_mb=80)
    supervisor = Supervisor(platform, runtime)
    handle: Any = await asyncio.to_thread(
        serve.run, router_app(platform.router()), name="router-0", route_prefix=None
    )
    watch: asyncio.Task[None] | None = None
    try:
        first = await asyncio.to_thread(_router_process)
        os.kill(first, signal.SIGKILL)
        frozen = await asyncio.to_thread(_stop_the_next, first)
        watch = asyncio.create_task(supervisor.watch())

        async def is_gone() -> bool:
            return not frozen.is_running()

        async def serves() -> bool:
            with contextlib.suppress(ray.exceptions.RayError):
                await handle.lags.remote()
                return True
            return False

        await until(is_gone, what="the end of the one that hangs")
        await until(serves, what="another replica")
    finally:
        if watch is not None:
            watch.cancel()
            await asyncio.gather(watch, return_exceptions=True)
        await supervisor.remove()
        await asyncio.to_thread(serve.delete, "router-0")
        await asyncio.to_thread(remove, runtime.directory)
