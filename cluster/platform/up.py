"""A platform's life: everything started in the order it needs, watched, stopped without a rest."""

import asyncio
import contextlib
import os
import socket
import time
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

import httpx

from actors.platform.topology import Topology
from actors.stream.endpoint import remove_stale, socket_folder
from cluster.data.epochs.check import enter_epoch
from cluster.data.migrate import migrate
from cluster.data.state import DataFolder, RunState
from cluster.data.topics import make_topics
from cluster.embedded.servers import EmbeddedServers
from cluster.errors import AlreadyRunningError, ClusterError, DeployError
from cluster.plan import Platform
from cluster.platform import processes
from cluster.platform.page import PageError, ready_page
from cluster.platform.runtime import RayRuntime, remove
from cluster.platform.supervisor import Supervisor
from cluster.settings import Settings

_A = TypeVar("_A")
_B = TypeVar("_B")

_READY_S = 60.0
_STOP_SERVE_S = 20.0
_NODES_S = 180.0
_STOP_RAY_S = 20.0
_STOP_HALF_S = 2.0

Report = Callable[[str], None]


class PlatformRun:
    """One platform in one data folder, from `start` to `stop`.

    `new_epoch` names the epoch to begin where the log is not the one that the data belong to.
    `ray_started` is called once Ray runs, which takes the process's signals for itself.
    """

    def __init__(
        self,
        *,
        settings: Settings,
        topology: Topology,
        data: Path,
        port: int,
        markets_file: str,
        report: Report,
        web: bool = True,
        new_epoch: str = "",
        ray_started: Callable[[], None] = lambda: None,
    ) -> None:
        self.folder = DataFolder(data)
        self.topology = topology
        self.url = f"http://127.0.0.1:{port}"
        self._settings = settings
        self._port = port
        self._report = report
        self.web = web
        self._new_epoch = new_epoch
        self._ray_started = ray_started
        self._began = time.monotonic()
        self._state = RunState(
            process_id=0,
            started_us=time.time_ns() // 1_000,
            url=self.url,
            markets_file=markets_file,
            ray_address=settings.ray_address,
            trace=settings.trace,
        )
        self._embedded: EmbeddedServers | None = None
        self._runtime: RayRuntime | None = None
        self._supervisor: Supervisor | None = None
        self._serving = False
        self._watches: list[asyncio.Task[None]] = []

    @property
    def state(self) -> RunState:
        """Return what is known of this run so far."""
        return self._state

    async def start(self) -> None:
        """Bring everything up. Raises ClusterError; call `stop` whatever happens."""
        _check_port(self._port)
        self.folder.hold()
        self._state.process_id = os.getpid()
        self._write_state()
        page = await self._ready_page() if self.web else None
        platform, _ = await _both(self._start_servers(page), self._start_ray())
        self._state.operator_token = platform.operator_token
        await self._start_platform(platform)
        await self._wait_until_ready()
        self._state.ready_s = self._phase("ready")
        self._write_state()

    def watch(self) -> None:
        """Begin to look after the actors and the embedded servers."""
        if self._supervisor is not None:
            self._watches.append(asyncio.create_task(self._supervisor.watch()))
        if self._embedded is not None:
            embedded = self._embedded
            self._watches.append(
                asyncio.create_task(embedded.watch(lambda: self._server_restarted(embedded)))
            )

    async def stop(self) -> None:
        """Stop everything that was started; nothing of it is alive afterwards."""
        family = processes.family(os.getpid())
        # Each step is taken, whatever becomes of the ones before it; the last pushed is the first.
        async with contextlib.AsyncExitStack() as steps:
            steps.callback(self.folder.release)
            steps.callback(remove_stale, socket_folder())
            steps.push_async_callback(asyncio.to_thread, processes.end, family)
            if self._embedded is not None:
                steps.push_async_callback(self._embedded.stop)
                steps.callback(self._report, "Stopping the servers")
            if self._runtime is not None:
                steps.push_async_callback(self._stop_ray, self._runtime)
                steps.callback(self._report, "Stopping Serve and Ray")
            for watch in self._watches:
                watch.cancel()
            await asyncio.gather(*self._watches, return_exceptions=True)

    async def _ready_page(self) -> Path:
        try:
            return await asyncio.to_thread(ready_page, self._report)
        except PageError as error:
            raise ClusterError(f"{error}; `forkast up --no-web` runs without the page") from error

    async def _start_servers(self, page: Path | None) -> Platform:
        settings = self._settings
        embedded = EmbeddedServers(
            self.folder.path,
            host=settings.servers_host,
            postgres_url=settings.postgres_url,
            redis_url=settings.redis_url,
            kafka_bootstrap=settings.kafka_bootstrap,
            kafka_brokers=settings.kafka_brokers,
            progress=self._report,
        )
        self._embedded = embedded
        servers = await embedded.start()
        self._state.postgres_url = servers.postgres_url
        self._state.redis_url = servers.redis_url
        self._state.kafka_bootstrap = servers.kafka_bootstrap
        self._note_servers(embedded)
        applied, _ = await _both(
            migrate(servers.postgres_url, self.topology),
            make_topics(servers.kafka_bootstrap, self.topology),
        )
        if applied:
            self._report(f"Schema brought up to date: {', '.join(applied)}")
        platform = settings.platform(
            servers=servers, topology=self.topology, data=self.folder.path, page=page
        )
        epoch = await enter_epoch(platform, new_epoch=self._new_epoch, report=self._report)
        self._phase("servers")
        return replace(platform, epoch=epoch)

    def _note_servers(self, embedded: EmbeddedServers) -> None:
        self._state.servers = [
            (process.pid, processes.family(process.pid)[0].create_time())
            for process in embedded.processes()
            if process.running()
        ]

    def _server_restarted(self, embedded: EmbeddedServers) -> None:
        self._note_servers(embedded)
        self._write_state()

    async def _start_ray(self) -> None:
        settings = self._settings
        self._report(
            f"Connecting to Ray at {settings.ray_address}"
            if settings.ray_address
            else "Starting Ray"
        )
        self._runtime = RayRuntime(
            address=settings.ray_address, object_store_mb=settings.object_store_mb
        )
        _link(self.folder.logs / "ray", self._runtime.logs)
        await self._runtime.start()
        self._ray_started()
        if settings.ray_address:
            self._report(f"Waiting for {settings.min_nodes} nodes that take pairs")
            await _wait_for_nodes(self._runtime, settings.min_nodes)
        self._state.ray_directory = str(self._runtime.directory)
        self._write_state()
        self._phase("ray")
        self._report("Ray is ready")

    async def _start_platform(self, platform: Platform) -> None:
        from cluster.platform.deploy import deploy, start_serve

        if self._runtime is None:
            raise DeployError("Ray was not started")
        supervisor = Supervisor(platform, self._runtime)
        self._supervisor = supervisor
        self._report(f"Starting {len(self.topology)} pair actors, the writer and the candles")
        if self._new_epoch:
            # Actors of a platform before, on a Ray that outlived it, hold books of the other log.
            await supervisor.remove()
        handles = await supervisor.make()
        await self._runtime.call(start_serve, self._settings.host, self._port)
        self._serving = True
        self._phase("serve")
        self._report("Starting gateway, hub and router")
        await self._runtime.call(deploy, platform, self._settings.router_shards)
        self._phase("applications")
        await supervisor.wait(handles)
        self._phase("actors")

    async def _wait_until_ready(self) -> None:
        self._report("Waiting for the gateway")
        deadline = time.monotonic() + _READY_S
        last = "no answer"
        async with httpx.AsyncClient(timeout=2, trust_env=False) as client:
            while time.monotonic() < deadline:
                try:
                    response = await client.get(f"{self.url}/ready")
                    if response.status_code == httpx.codes.OK:
                        return
                    last = f"{response.status_code} {response.text[:200]}"
                except httpx.HTTPError as error:
                    last = repr(error)
                await asyncio.sleep(0.05)
        raise DeployError(f"{self.url}/ready was not ready within {_READY_S:g} s: {last}")

    async def _stop_ray(self, runtime: RayRuntime) -> None:
        from cluster.platform.deploy import undeploy

        if self._serving:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_STOP_SERVE_S):
                    await runtime.call(undeploy)
        else:
            # A start that is under way holds Ray's thread; it is not waited for.
            await asyncio.to_thread(runtime.clear_away)
        if self._settings.ray_address and self._supervisor is not None:
            await self._supervisor.remove()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_STOP_RAY_S if self._serving else _STOP_HALF_S):
                await runtime.stop(keep_logs_in=self.folder.logs / "ray")

    def _phase(self, name: str) -> float:
        seconds = round(time.monotonic() - self._began, 2)
        self._state.phases[name] = seconds
        return seconds

    def _write_state(self) -> None:
        self.folder.write(self._state)


async def _both(first: Awaitable[_A], second: Awaitable[_B]) -> tuple[_A, _B]:
    """Await two things at once; where one fails, end the other and raise that one's error."""
    one, other = asyncio.ensure_future(first), asyncio.ensure_future(second)
    try:
        return await asyncio.gather(one, other)
    finally:
        one.cancel()
        other.cancel()
        await asyncio.gather(one, other, return_exceptions=True)


async def _wait_for_nodes(runtime: RayRuntime, wanted: int) -> None:
    from cluster.platform.nodes import alive_nodes

    deadline = time.monotonic() + _NODES_S
    while (found := sum(node.takes_pairs for node in await runtime.call(alive_nodes))) < wanted:
        if time.monotonic() > deadline:
            raise DeployError(f"{found} of {wanted} nodes that take pairs came within {_NODES_S} s")
        await asyncio.sleep(0.2)


def _check_port(port: int) -> None:
    with socket.socket() as probe:
        # As Serve's proxy will: connections that are just closing do not hold the port.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as error:
            raise AlreadyRunningError(
                f"port {port} is in use: give another with --port or FORKAST_PORT"
            ) from error


def _link(link: Path, target: Path) -> None:
    remove(link)
    link.symlink_to(target)
