"""Ray nodes as processes of their own, started by the command that a machine runs.

They share loopback, or each has a network namespace of its own.
"""

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

from cluster.embedded.process import ServerProcess, free_port
from cluster.errors import ServerStartError
from cluster.platform import processes
from cluster.platform.environment import INHERITED, OWN_NODE_ONLY
from cluster.tools.namespaces import Machine, Network

_RAY = str(Path(sys.executable).with_name("ray"))
_START_S = 90.0
_STARTS_MAX = 4
# What a node says when its head knows it; its ports are open long before.
_STARTED = b"Ray runtime started."
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
        host: str,
        alone: bool = False,
        machine: Machine | None = None,
    ) -> None:
        self.port = free_port()
        self.metrics_port = free_port()
        self.machine = machine
        self._log = log
        self._process = ServerProcess(
            name="a node of Ray",
            command=[
                *(machine.prefix if machine else ()),
                *(_ALONE if alone else ()),
                _RAY,
                "start",
                "--block",
                "--disable-usage-stats",
                f"--node-ip-address={machine.address if machine else host}",
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
        """Start the node and wait until its head knows it. Raises ServerStartError."""
        said = self._log.stat().st_size if self._log.exists() else 0

        async def probe() -> None:
            if _STARTED not in self._log.read_bytes()[said:]:
                raise ServerStartError("the node has not joined its head yet")

        self._process.start()
        await self._process.wait_ready(probe, timeout_s=_START_S)

    def kill(self) -> None:
        """End every process of the node at once."""
        _kill(self.family())

    def family(self) -> list[psutil.Process]:
        """Return every process of the node."""
        if self.machine is not None:
            return self.machine.processes()
        return processes.family(self._process.pid)

    def running(self) -> bool:
        """Say whether the node's first process is alive."""
        return self._process.running()

    async def stop(self) -> None:
        """End what is left of the node."""
        self.kill()
        await self._process.stop(timeout_s=10)


class RayNodes:
    """A head without CPUs and workers; `stop` leaves nothing.

    With `redis_url` the head keeps there what it knows, and can be started again; that takes root.
    With `network` each worker is a machine of its own on it.
    """

    def __init__(self, *, redis_url: str = "", network: Network | None = None) -> None:
        self._network = network
        self._host = network.host if network else "127.0.0.1"
        self._redis = urlsplit(redis_url)
        self.folder = Path(tempfile.mkdtemp(prefix="forkast-", dir="/tmp"))
        self.address = f"{self._host}:{free_port(self._host)}"
        # What a driver needs in its environment to be let in.
        self.access = {"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": secrets.token_hex(32)}
        self._nodes: list[RayNode] = []
        self.workers: list[RayNode] = []

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
        worker = await self._start(f"--address={self.address}", "--num-cpus=4")
        self.workers.append(worker)
        return worker

    def processes(self) -> list[psutil.Process]:
        """Return every process of every node."""
        return [one for node in self._nodes for one in node.family()]

    def metrics_ports(self) -> list[int]:
        """Return where the agents of the nodes export their metrics."""
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
        head = "--head" in arguments
        node = RayNode(
            list(arguments),
            log=log,
            environment=self._environment(),
            host=self._host,
            alone=bool(self._redis.netloc) and head,
            machine=self._network.machine() if self._network and not head else None,
        )
        self._nodes.append(node)
        for _ in range(_STARTS_MAX - 1):
            # A node ends that has not heard from its agents within 15 s, which a busy machine
            # may take; an init process starts it again.
            with contextlib.suppress(ServerStartError):
                await node.start()
                return node
            await asyncio.to_thread(node.kill)
        await node.start()
        return node

    def _environment(self) -> dict[str, str]:
        inherited = {name: INHERITED[name] for name in INHERITED if name not in OWN_NODE_ONLY}
        kept = {
            "RAY_REDIS_ADDRESS": f"{self._redis.hostname}:{self._redis.port}",
            "RAY_REDIS_USERNAME": self._redis.username or "",
            "RAY_REDIS_PASSWORD": self._redis.password or "",
            "RAY_external_storage_namespace": self.folder.name,
            # How long workers wait for the next head, which may take a busy machine a while.
            "RAY_gcs_rpc_server_reconnect_timeout_s": "180",
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
