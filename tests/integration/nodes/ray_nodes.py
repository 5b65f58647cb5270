"""Ray nodes as processes of their own on loopback, started by the command that a machine runs."""

import asyncio
import contextlib
import os
import secrets
import shutil
import sys
import tempfile
from pathlib import Path
from urllib.parse import urlsplit

import psutil

from cluster import processes
from cluster.embedded.process import ServerProcess, free_port
from cluster.environment import INHERITED, OWN_NODE_ONLY

_RAY = str(Path(sys.executable).with_name("ray"))
_START_S = 90.0
# Processes of other nodes are not seen from there, as if they were on other machines: Ray does not
# start a head where it sees a worker that names it.
_ALONE = (shutil.which("unshare") or "", "--pid", "--fork", "--kill-child", "--mount-proc")
_HEALTH = {
    "RAY_health_check_period_ms": "1000",
    "RAY_health_check_timeout_ms": "2000",
    "RAY_health_check_failure_threshold": "3",
}


class RayNode:
    """One `ray start --block` and all that it started."""

    def __init__(
        self,
        arguments: list[str],
        *,
        log: Path,
        environment: dict[str, str],
        alone: bool = False,
    ) -> None:
        self.port = free_port()
        self.metrics_port = free_port()
        self._process = ServerProcess(
            name="a node of Ray",
            command=[
                *(_ALONE if alone else ()),
                _RAY,
                "start",
                "--block",
                "--disable-usage-stats",
                "--node-ip-address=127.0.0.1",
                f"--node-manager-port={self.port}",
                f"--metrics-export-port={self.metrics_port}",
                "--min-worker-port=0",
                "--max-worker-port=0",
                "--object-store-memory=83886080",
                *arguments,
            ],
            log_path=log,
            environment=environment,
        )

    async def start(self) -> None:
        """Start the node and wait until its raylet listens."""
        self._process.start()
        await self._process.wait_ready(self._probe, timeout_s=_START_S)

    def kill(self) -> None:
        """End every process of the node at once, as a machine that loses power."""
        _kill(self.family())

    def family(self) -> list[psutil.Process]:
        """Return every process of the node."""
        return processes.family(self._process.pid)

    async def stop(self) -> None:
        """End what is left of the node."""
        self.kill()
        await self._process.stop(timeout_s=10)

    async def _probe(self) -> None:
        _, writer = await asyncio.open_connection("127.0.0.1", self.port)
        writer.close()


class RayNodes:
    """A head without CPUs and workers; `stop` leaves nothing.

    With `redis_url` the head keeps there what it knows, and can be started again; that takes root.
    """

    def __init__(self, *, redis_url: str = "") -> None:
        self._redis = urlsplit(redis_url)
        self.folder = Path(tempfile.mkdtemp(prefix="forkast-", dir="/tmp"))
        self.address = f"127.0.0.1:{free_port()}"
        # What a driver needs in its environment to be let in.
        self.access = {"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": secrets.token_hex(32)}
        self._nodes: list[RayNode] = []

    async def start_head(self) -> RayNode:
        """Start the node that the others and the platform join, or start it again."""
        return await self._start(
            "--head",
            f"--port={self.address.rpartition(':')[2]}",
            "--num-cpus=0",
            "--include-dashboard=false",
            f"--temp-dir={self.folder / 'ray'}",
        )

    async def start_worker(self) -> RayNode:
        """Start a node that takes pairs."""
        return await self._start(f"--address={self.address}", "--num-cpus=4")

    def processes(self) -> list[psutil.Process]:
        """Return every process of every node."""
        return [one for node in self._nodes for one in node.family()]

    def metrics_ports(self) -> list[int]:
        """Return where the agents of the nodes export their figures."""
        return [node.metrics_port for node in self._nodes]

    async def stop(self) -> None:
        """End all nodes and remove their files."""
        for node in self._nodes:
            await node.stop()
        left = [one for one in psutil.process_iter() if str(self.folder) in _command(one)]
        _kill(left)
        shutil.rmtree(self.folder, ignore_errors=True)

    async def _start(self, *arguments: str) -> RayNode:
        log = self.folder / f"node-{len(self._nodes)}.log"
        alone = bool(self._redis.netloc) and "--head" in arguments
        node = RayNode(list(arguments), log=log, environment=self._environment(), alone=alone)
        self._nodes.append(node)
        await node.start()
        return node

    def _environment(self) -> dict[str, str]:
        inherited = {name: INHERITED[name] for name in INHERITED if name not in OWN_NODE_ONLY}
        kept = {
            "RAY_REDIS_ADDRESS": f"{self._redis.hostname}:{self._redis.port}",
            "RAY_REDIS_USERNAME": self._redis.username or "",
            "RAY_REDIS_PASSWORD": self._redis.password or "",
            "RAY_external_storage_namespace": self.folder.name,
        }
        return {
            **os.environ,
            **inherited,
            **_HEALTH,
            **self.access,
            **(kept if self._redis.netloc else {}),
        }


def _kill(family: list[psutil.Process]) -> None:
    for process in family:
        with contextlib.suppress(psutil.NoSuchProcess):
            process.kill()
    psutil.wait_procs(family, timeout=10)


def _command(process: psutil.Process) -> str:
    try:
        return " ".join(process.cmdline())
    except psutil.Error:
        return ""
