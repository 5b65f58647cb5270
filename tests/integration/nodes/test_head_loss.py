"""The head of a cluster is lost: streams flow on, actors live on, and the next head finds them."""

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

from actors.book.vocabulary import Side
from actors.platform.config import Servers
from cluster.markets import load_topology
from cluster.plan import Platform
from cluster.tools import platforms
from cluster.tools.chaos.plan import Action, Fault, Target
from cluster.tools.chaos.streams import break_stream
from cluster.tools.platforms import RunningPlatform
from cluster.tools.ray_nodes import RayNode, RayNodes
from tests.beds.commands import place
from tests.beds.leases import MarketLeases
from tests.beds.nodes import STREAM_PORTS, pairs_on, reached_by_port, start_platform
from tests.beds.routing import Judge, command_log
from tests.beds.waiting import until

_PAIRS = ["H0-USD", "H1-USD"]
_BACK_S = 150.0
_APPENDED = 2
# A router looks for the actor ten seconds long before it goes to where it was.
_REACHED_S = 60.0


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
async def test_streams_flow_on_without_the_head_and_the_next_one_finds_the_actors(
    servers: Servers, leases: MarketLeases, nodes: RayNodes, tmp_path: Path
) -> None:
    head = await nodes.start_head()
    workers = [await nodes.start_worker(), await nodes.start_worker()]
    running = await start_platform(
        servers,
        nodes,
        tmp_path,
        pairs=_PAIRS,
        market_ids=await leases.ids(len(_PAIRS)),
        workers=len(workers),
    )
    try:
        resting = [await _place(running, pair, "SELL") for pair in _PAIRS]
        living = _pair_processes(workers)
        assert len(living) == len(_PAIRS)
        # One pair lies beside the router, the other is reached over the network.
        assert sorted(reached_by_port(worker) for worker in workers) == [0, 1]
        await asyncio.to_thread(head.kill)
        await _orders_come_out(servers, tmp_path, actors=living)
        # Workers wait for the next one.
        begun_s = time.monotonic()
        await nodes.start_head()
        for pair, order in zip(_PAIRS, resting, strict=True):
            (fill,) = (await _placed_at_last(running, pair, "BUY"))["fills"]
            assert fill["sellOrderId"] == order["orderId"]
        sys.stdout.write(
            f"orders taken again {time.monotonic() - begun_s:.1f} s after the next head began\n"
        )
        assert _pair_processes(workers) == living
    finally:
        await asyncio.to_thread(platforms.stop, running)


async def _orders_come_out(servers: Servers, folder: Path, *, actors: set[psutil.Process]) -> None:
    """Append orders to the log and see their events, and again after all streams were cut."""
    topology = load_topology(folder / "markets.toml")
    platform = Platform(servers=servers, topology=topology, data_directory=str(folder / "data"))
    judges = [Judge(platform, market) for market in topology]
    async with command_log(platform) as log:
        for order_id in range(1, _APPENDED + 1):
            for market in topology:
                await log.append(
                    market, place(order_id, Side.BUY, price_ticks=100, quantity_lots=10_000)
                )
            for judge in judges:
                await until(judge.agrees, within_s=_REACHED_S, what=f"events of order {order_id}")
            cut = Fault(target=Target.STREAM, action=Action.CUT, after_s=0.0, lasts_s=0.0, pick=0.0)
            for process in actors:
                assert await break_stream(process, cut, ports=STREAM_PORTS)
    for judge in judges:
        await judge.rule()


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


def _pair_processes(workers: list[RayNode]) -> set[psutil.Process]:
    return {process for worker in workers for process in pairs_on(worker)}
