"""The platform that a campaign breaks: three pairs, two gateways, a quota under its data.

On Ray's own node, or on a cluster of machines in network namespaces.
"""

import asyncio
import contextlib
import os
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psutil

from cluster.embedded.process import free_port
from cluster.markets import load_topology
from cluster.plan import Platform
from cluster.settings import load_settings
from cluster.tools import platforms
from cluster.tools.chaos import sockets
from cluster.tools.chaos.plan import PROCESSES, STREAMS, Target
from cluster.tools.chaos.workers import Workers
from cluster.tools.markets_file import write_markets
from cluster.tools.namespaces import Network
from cluster.tools.platforms import RunningPlatform
from cluster.tools.ray_nodes import RayNodes

_PAIRS = ("AAA-USD", "BBB-USD", "CCC-USD")
# Few enough that an actor meets ports that are taken; outside those that the system hands out.
STREAM_PORTS = range(31_000, 31_010)
_QUOTA = "1200m"
_LIMITS = {
    # Snapshots that are taken often are read often.
    "FORKAST_LIMITS__SNAPSHOT_EVERY_COMMANDS": "200",
    "FORKAST_GATEWAY_REPLICAS": "2",
    "FORKAST_STREAM_PORTS": f"{STREAM_PORTS[0]}-{STREAM_PORTS[-1]}",
}


@dataclass(frozen=True, kw_only=True)
class BrokenPlatform:
    """What a campaign hits: where it runs, what it was made of, and what may be hit."""

    running: RunningPlatform
    platform: Platform
    targets: tuple[Target, ...]
    workers: Workers | None

    def processes(self) -> list[psutil.Process]:
        """Return all processes of the platform, on every node."""
        return self.running.family() + (self.workers.processes() if self.workers else [])


@contextlib.contextmanager
def broken_platform(folder: Path, *, brokers: int, nodes: int) -> Iterator[BrokenPlatform]:
    """Start a platform under `folder`, on as many Ray nodes beside a head, or on its own one.

    With `nodes` this process leaves the system's network. Raises OSError where it may not.
    """
    markets = write_markets(folder, _PAIRS)
    data = folder / "data"
    with _quota(data) as bounded, _cluster(nodes) as cluster:
        environment = _LIMITS | {"FORKAST_KAFKA_BROKERS": str(brokers)}
        if cluster is not None:
            environment |= {
                "FORKAST_SERVERS_HOST": Network.host,
                "FORKAST_RAY_ADDRESS": cluster.address,
                "FORKAST_MIN_NODES": str(nodes),
                **cluster.access,
            }
        running = platforms.start(
            data,
            "--no-web",
            "--markets",
            str(markets),
            port=free_port(),
            environment=environment,
        )
        try:
            platform = load_settings().platform(
                servers=running.servers, topology=load_topology(markets), data=data
            )
            yield BrokenPlatform(
                running=running,
                platform=platform,
                targets=_targets(brokers, nodes=nodes, bounded=bounded),
                workers=Workers(cluster) if cluster else None,
            )
        finally:
            platforms.stop(running)


@contextlib.contextmanager
def _cluster(nodes: int) -> Iterator[RayNodes | None]:
    if not nodes:
        yield None
        return
    network = Network()
    network.enter()
    cluster = RayNodes(network=network)
    try:
        asyncio.run(_start(cluster, nodes))
        yield cluster
    finally:
        asyncio.run(cluster.stop())
        network.remove()


async def _start(cluster: RayNodes, nodes: int) -> None:
    await cluster.start_head()
    for _ in range(nodes):
        await cluster.start_worker()


def _targets(brokers: int, *, nodes: int, bounded: bool) -> tuple[Target, ...]:
    leader = (Target.LEADER,) if brokers > 1 else ()
    machines = (Target.NODE, Target.LINK) if nodes else ()
    streams = STREAMS if sockets.possible() else ()
    return PROCESSES + streams + leader + ((Target.DISK,) if bounded else ()) + machines


@contextlib.contextmanager
def _quota(folder: Path) -> Iterator[bool]:
    """Bound a folder by a file system of its own; say whether this machine allows it."""
    folder.mkdir(parents=True)
    mount = ["mount", "-t", "tmpfs", "-o", f"size={_QUOTA},mode=0755", "forkast", str(folder)]
    allowed = os.geteuid() == 0 and subprocess.run(mount, check=False, capture_output=True)
    if not allowed or allowed.returncode != 0:
        yield False
        return
    try:
        yield True
    finally:
        subprocess.run(["umount", str(folder)], check=True)
