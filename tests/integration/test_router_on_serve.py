"""The router as a Serve deployment: deployed, healthy, replaced when it dies."""

import asyncio
import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest
import ray
from ray import serve

from actors.builders import pair_actor
from actors.config import Servers
from api.builders import router_app
from tests.commands import flow, market
from tests.integration.routing import (
    Judge,
    append_singly,
    command_log,
    make_platform,
    until,
    widen_topics,
)


@pytest.fixture
def serve_session(ray_session: str) -> Iterator[None]:
    serve.start(proxy_location="Disabled")
    yield
    serve.shutdown()  # type: ignore[no-untyped-call]


def _router_process() -> int:
    """Return the process of the one router replica that descends from this session's Ray.

    A whole platform may run as another child of this process, with a router of its own.
    """
    (replica,) = [
        process
        for child in psutil.Process().children()
        if "cluster.cli" not in " ".join(child.cmdline())
        for process in [child, *child.children(recursive=True)]
        if "ServeReplica:router-0" in " ".join(process.cmdline())
    ]
    return replica.pid


async def test_a_router_replica_that_is_killed_is_replaced_and_nothing_is_missing(
    servers: Servers, serve_session: None, tmp_path: Path
) -> None:
    await widen_topics(servers, 60)
    one = market(60)
    platform = make_platform(servers, [one], tmp_path)
    actor = await asyncio.to_thread(pair_actor, platform, one)
    handle: Any = await asyncio.to_thread(
        serve.run, router_app(platform, 0, 1), name="router-0", route_prefix=None
    )
    try:
        async with command_log(platform) as log:
            await append_singly(log, one, flow(300))
            await Judge(platform, one).rule()
            before = await asyncio.to_thread(_router_process)
            await append_singly(log, one, flow(300, first_order_id=1_000))
            os.kill(before, signal.SIGKILL)
            await append_singly(log, one, flow(300, first_order_id=2_000))
            assert await Judge(platform, one).rule() == await actor.state_hash.remote()

            async def measured() -> bool:
                lags = await handle.lags.remote()
                return one.pair in lags and lags[one.pair].available

            await until(measured, what="the new replica's figures")
    finally:
        await asyncio.to_thread(serve.delete, "router-0")
        ray.kill(actor)
