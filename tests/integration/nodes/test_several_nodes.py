"""A platform on three nodes of Ray: pairs spread out, survive a node, and move to a new one."""

import asyncio
import contextlib
import json
import sys
import threading
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import asyncpg
import httpx
import pytest
from prometheus_client import Metric
from prometheus_client.parser import text_string_to_metric_families

from actors.platform.config import Servers
from cluster.tools import platforms
from cluster.tools.platforms import RunningPlatform, forkast
from cluster.tools.ray_nodes import RayNode, RayNodes
from tests.beds.leases import MarketLeases
from tests.beds.nodes import has_router, reached_by_port, start_platform

_PAIRS = [f"N{number}-USD" for number in range(10)]
# Clients leave the machine time to start a node.
_PAUSE_S = 0.4
_SERVING_AGAIN_S_MAX = 90.0
_LANDED_S = 30.0
_EXPORTED_S = 60.0


class Clients:
    """One client a pair that places orders on both sides, one after the other, by REST."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._ended = threading.Event()
        self.accepted: dict[str, list[int]] = {pair: [] for pair in _PAIRS}
        self._answered_s: dict[str, list[tuple[float, float]]] = {pair: [] for pair in _PAIRS}
        self.heard: dict[str, str] = {}
        self._threads = [threading.Thread(target=self._trade, args=(pair,)) for pair in _PAIRS]

    def __enter__(self) -> "Clients":
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        for thread in self._threads:
            thread.join()

    def wait_for_answers(self, *, since_s: float, within_s: float) -> dict[str, float]:
        """Return for each pair the seconds from `since_s` to its first answer after it."""
        deadline = time.monotonic() + within_s
        while len(answers := self._answers(since_s)) < len(_PAIRS):
            if time.monotonic() > deadline:
                break
            time.sleep(0.02)
        return answers

    def _answers(self, since_s: float) -> dict[str, float]:
        # What began before a fault says nothing of the time after it.
        after = {
            pair: [ended_s for began_s, ended_s in list(answered) if began_s > since_s]
            for pair, answered in self._answered_s.items()
        }
        return {pair: ended_s[0] - since_s for pair, ended_s in after.items() if ended_s}

    def _trade(self, pair: str) -> None:
        sides = ("BUY", "SELL")
        with httpx.Client(timeout=10, trust_env=False) as client:
            while not self._ended.wait(_PAUSE_S):
                began_s = time.monotonic()
                order = {
                    "tradingPair": pair,
                    "type": sides[len(self.accepted[pair]) % 2],
                    "price": "100",
                    "quantity": "1",
                    "userId": 1,
                }
                try:
                    answer = client.post(f"{self._url}/orders?wait=4000", json=order)
                except httpx.HTTPError as error:
                    self.heard[pair] = repr(error)
                    continue
                self.heard[pair] = f"{answer.status_code} {answer.text[:200]}"
                if answer.status_code != httpx.codes.CREATED:
                    continue
                body = answer.json()
                self.accepted[pair].append(int(body["orderId"]))
                # Only an outcome says that the pair itself has answered.
                if body.get("order"):
                    self._answered_s[pair].append((began_s, time.monotonic()))


@pytest.fixture(scope="module")
async def nodes(servers: Servers) -> AsyncIterator[tuple[RayNodes, list[RayNode]]]:
    """A head and two workers."""
    nodes = RayNodes()
    try:
        await nodes.start_head()
        yield nodes, [await nodes.start_worker(), await nodes.start_worker()]
    finally:
        await nodes.stop()


@pytest.fixture(scope="module")
async def market_ids(leases: MarketLeases) -> list[int]:
    """The ids of the pairs, in their order."""
    return await leases.ids(len(_PAIRS))


@pytest.fixture(scope="module")
async def spread_platform(
    servers: Servers,
    market_ids: list[int],
    nodes: tuple[RayNodes, list[RayNode]],
    tmp_path_factory: pytest.TempPathFactory,
) -> AsyncIterator[RunningPlatform]:
    """Ten markets on those nodes and on the session's servers."""
    started = await start_platform(
        servers,
        nodes[0],
        tmp_path_factory.mktemp("nodes"),
        pairs=_PAIRS,
        market_ids=market_ids,
        workers=2,
    )
    try:
        yield started
    finally:
        await asyncio.to_thread(platforms.stop, started)


@pytest.mark.cluster
async def test_pairs_of_a_node_that_dies_serve_on_another_and_move_to_a_new_one(
    spread_platform: RunningPlatform,
    nodes: tuple[RayNodes, list[RayNode]],
    servers: Servers,
    market_ids: list[int],
) -> None:
    cluster, (kept, lost) = nodes
    before = await _places(cluster, spread_platform.data)
    assert {len(pairs) for pairs in before.values()} <= {0, 4, 5, 6}, before
    with Clients(spread_platform.url) as clients:
        started_s = time.monotonic()
        assert len(await _answers(clients, started_s)) == len(_PAIRS), clients.heard
        await _agents_export(cluster)
        for node in (kept, lost):
            apart = 0 if has_router(node) else len(before[node.port])
            assert reached_by_port(node) == apart
        _tell("the router dies", "too" if has_router(lost) else "not")
        killed_s = time.monotonic()
        await asyncio.to_thread(lost.kill)
        serving = await _answers(clients, killed_s)
        _tell("serving again after their node's death", _told(serving, before[lost.port]))
        _tell("the others' next answer", _told(serving, before[kept.port]))
        assert set(serving) == set(_PAIRS), clients.heard
        after = await _places(cluster, spread_platform.data)
        assert set(after[kept.port]) == set(_PAIRS)

        added = await cluster.start_worker()
        assert added.port in await _places(cluster, spread_platform.data)
        moves = await _told_by(cluster, "rebalance", spread_platform.data)
        _tell("stopped for", f"{sorted(move['stopped_ms'] for move in moves)} ms")
        assert len(moves) == len(_PAIRS) // 2
        moved = await _places(cluster, spread_platform.data)
        assert set(moved[added.port]) == {pair for move in moves for pair in move["pairs"]}
        assert len(await _answers(clients, time.monotonic())) == len(_PAIRS), clients.heard
        assert has_router(kept)
        assert reached_by_port(added) == len(moved[added.port])
    await _nothing_lost(servers, dict(zip(market_ids, clients.accepted.values(), strict=True)))


async def _answers(clients: Clients, since_s: float) -> dict[str, float]:
    return await asyncio.to_thread(
        clients.wait_for_answers, since_s=since_s, within_s=_SERVING_AGAIN_S_MAX
    )


async def _places(cluster: RayNodes, data: Path) -> dict[int, list[str]]:
    nodes = await _told_by(cluster, "nodes", data)
    return {node["port"]: node["pairs"] for node in nodes if node["alive"]}


async def _told_by(cluster: RayNodes, command: str, data: Path) -> Any:
    told = await asyncio.to_thread(
        forkast, command, "--json", "--data", data, timeout_s=180, environment=cluster.access
    )
    assert told.returncode == 0, told.stderr
    return json.loads(told.stdout)


async def _agents_export(cluster: RayNodes) -> None:
    """Assert that the nodes' metrics agents show what routers, writer and hub have measured."""
    wanted = {
        "ray_forkast_pair_commands_total",
        "ray_forkast_writer_records_behind",
        "ray_forkast_hub_clients",
    }
    deadline = time.monotonic() + _EXPORTED_S
    async with httpx.AsyncClient(timeout=5, trust_env=False) as client:
        while wanted:
            assert time.monotonic() < deadline, f"no agent exports {sorted(wanted)}"
            for port in cluster.metrics_ports():
                with contextlib.suppress(httpx.HTTPError):
                    text = (await client.get(f"http://127.0.0.1:{port}/metrics")).text
                    wanted -= {family.name for family in _families(text)}
                    wanted -= {f"{family.name}_total" for family in _families(text)}
            await asyncio.sleep(0.5)


def _families(text: str) -> list[Metric]:
    return [family for family in text_string_to_metric_families(text) if family.samples]


async def _nothing_lost(servers: Servers, accepted: dict[int, list[int]]) -> None:
    """Assert that each order of a 201 has one row, and that trades and sequences have no gap."""
    connection = await asyncpg.connect(servers.postgres_url)
    try:
        for number, orders in accepted.items():
            assert orders
            deadline = time.monotonic() + _LANDED_S
            query = "SELECT count(*) FROM orders WHERE market_id = $1 AND order_id = ANY($2)"
            while await connection.fetchval(query, number, orders) < len(orders):
                assert time.monotonic() < deadline, f"market {number} has lost orders"
                await asyncio.sleep(0.1)
            gaps = "SELECT max(trade_id) - count(*) FROM trades WHERE market_id = $1"
            assert not await connection.fetchval(gaps, number)
    finally:
        await connection.close()


def _tell(what: str, figures: str) -> None:
    sys.stdout.write(f"{what}: {figures}\n")


def _told(serving: dict[str, float], pairs: list[str]) -> str:
    times = sorted(round(serving[pair], 2) for pair in pairs if pair in serving)
    return f"{times} s"
