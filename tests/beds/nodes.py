"""A platform of its own markets on nodes of Ray, with the session's servers."""

import asyncio
import contextlib
from collections.abc import Sequence
from pathlib import Path

import psutil

from actors.platform.config import Servers
from cluster.embedded.process import free_port
from cluster.tools import platforms
from cluster.tools.markets_file import write_markets
from cluster.tools.platforms import RunningPlatform
from cluster.tools.ray_nodes import RayNode, RayNodes

# Where pairs' actors meet routers of other nodes.
STREAM_PORTS = range(31_200, 31_300)


async def start_platform(
    servers: Servers,
    nodes: RayNodes,
    folder: Path,
    *,
    pairs: Sequence[str],
    market_ids: Sequence[int],
    workers: int,
) -> RunningPlatform:
    """Start `forkast up` with data in `folder`; a second start there goes on with them.

    The market ids follow one another, as leased ones do.
    """
    markets = write_markets(folder, pairs, first_id=market_ids[0])
    return await asyncio.to_thread(
        platforms.start,
        folder / "data",
        "--no-web",
        "--markets",
        str(markets),
        port=free_port(),
        environment={
            "FORKAST_POSTGRES_URL": servers.postgres_url,
            "FORKAST_REDIS_URL": servers.redis_url,
            "FORKAST_KAFKA_BOOTSTRAP": servers.kafka_bootstrap,
            "FORKAST_RAY_ADDRESS": nodes.address,
            "FORKAST_GATEWAY_REPLICAS": "2",
            "FORKAST_MIN_NODES": str(workers),
            "FORKAST_STREAM_PORTS": f"{STREAM_PORTS[0]}-{STREAM_PORTS[-1]}",
            **nodes.access,
        },
    )


def pairs_on(node: RayNode) -> list[psutil.Process]:
    """Return the process of each pair's actor on a node."""
    return _titled(node, "ray::PairActorOnRay")


def has_router(node: RayNode) -> bool:
    """Say whether a node carries a router."""
    return bool(_titled(node, "ServeReplica:router"))


def reached_by_port(node: RayNode) -> int:
    """Return to how many pairs' actors of a node routers of other nodes are connected."""
    return sum(_is_reached_by_port(process) for process in pairs_on(node))


def _is_reached_by_port(process: psutil.Process) -> bool:
    with contextlib.suppress(psutil.NoSuchProcess):
        return any(
            one.status == psutil.CONN_ESTABLISHED and one.laddr.port in STREAM_PORTS
            for one in process.net_connections("tcp")
        )
    return False


def _titled(node: RayNode, title: str) -> list[psutil.Process]:
    found = []
    for process in node.family():
        with contextlib.suppress(psutil.NoSuchProcess, psutil.ZombieProcess):
            if title in " ".join(process.cmdline()):
                found.append(process)
    return found
