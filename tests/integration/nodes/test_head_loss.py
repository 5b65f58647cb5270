"""The head of a cluster is lost and started again: its actors have lived on, and are found."""

import asyncio
import os
import shutil
import sys
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest

from actors.platform.config import Servers
from cluster.tools import platforms
from cluster.tools.platforms import RunningPlatform
from cluster.tools.ray_nodes import RayNodes
from tests.beds.leases import MarketLeases
from tests.beds.nodes import start_platform

_PAIRS = ["H0-USD", "H1-USD"]
_BACK_S = 150.0


@pytest.fixture
async def nodes(servers: Servers) -> AsyncIterator[RayNodes]:
    """Nodes whose head keeps what it knows in Redis."""
    nodes = RayNodes(redis_url=servers.redis_url)
    yield nodes
    await nodes.stop()


@pytest.mark.cluster
@pytest.mark.skipif(
    os.geteuid() != 0 or shutil.which("unshare") is None,
    reason="a head is started again beside its workers only in a PID namespace, which takes root",
)
async def test_actors_outlive_the_head_and_are_found_by_the_next(
    servers: Servers, leases: MarketLeases, nodes: RayNodes, tmp_path: Path
) -> None:
    head = await nodes.start_head()
    await nodes.start_worker()
    platform = await start_platform(
        servers,
        nodes,
        tmp_path,
        pairs=_PAIRS,
        market_ids=await leases.ids(len(_PAIRS)),
        workers=1,
    )
    try:
        resting = [await _place(platform, pair, "SELL") for pair in _PAIRS]
        living = _pair_processes(nodes)
        assert len(living) == len(_PAIRS)
        await asyncio.to_thread(head.kill)
        killed_s = time.monotonic()
        # Workers wait a minute for the next one.
        await nodes.start_head()
        for pair, order in zip(_PAIRS, resting, strict=True):
            (fill,) = (await _placed_at_last(platform, pair, "BUY"))["fills"]
            assert fill["sellOrderId"] == order["orderId"]
        sys.stdout.write(
            f"orders taken again {time.monotonic() - killed_s:.1f} s after its death\n"
        )
        assert _pair_processes(nodes) == living
    finally:
        await asyncio.to_thread(platforms.stop, platform)


async def _place(platform: RunningPlatform, pair: str, side: str) -> dict[str, Any]:
    order = {"tradingPair": pair, "type": side, "price": "10", "quantity": "1", "userId": 1}
    async with httpx.AsyncClient(base_url=platform.url, timeout=20, trust_env=False) as client:
        answer = await client.post("/orders?wait=10000", json=order)
    assert answer.status_code == 201, answer.text
    placed: dict[str, Any] = answer.json()
    return placed


async def _placed_at_last(platform: RunningPlatform, pair: str, side: str) -> dict[str, Any]:
    """Place an order as soon as one is taken: until then none reaches the log."""
    deadline = time.monotonic() + _BACK_S
    while True:
        try:
            return await _place(platform, pair, side)
        except (AssertionError, httpx.HTTPError):
            assert time.monotonic() < deadline, f"{pair} takes no orders"
            await asyncio.sleep(0.5)


def _pair_processes(nodes: RayNodes) -> set[tuple[int, float]]:
    """Return process id and start time of each pair's actor on these nodes."""
    found = set()
    for process in nodes.processes():
        try:
            if "ray::PairActorOnRay" in " ".join(process.cmdline()):
                found.add((process.pid, process.create_time()))
        except psutil.Error:
            continue
    return found
