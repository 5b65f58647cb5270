"""Whole platforms for benches, campaigns and tests, started as a person does: by `forkast up`."""

import contextlib
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil

from actors.platform.config import Servers
from cluster.data.state import DataFolder, RunState
from cluster.embedded.process import free_port
from cluster.errors import ClusterError, DeployError
from cluster.platform import processes

REPOSITORY = Path(__file__).resolve().parents[2]
_COMMAND = (sys.executable, "-m", "cluster.cli")
_START_S = 240.0
_STOP_S = 90.0


@dataclass(frozen=True, kw_only=True)
class RunningPlatform:
    """A platform that takes orders: where it answers and where its data lie."""

    url: str
    servers: Servers
    data: Path
    operator_token: str
    process: subprocess.Popen[bytes]
    gateway_replicas: int = 1

    @property
    def process_id(self) -> int:
        return self.process.pid

    def family(self) -> list[psutil.Process]:
        """Return all processes of the platform."""
        return processes.family(self.process_id)


def forkast(
    *arguments: str | Path | int, timeout_s: float = 60.0, environment: dict[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """Run the command line to its end."""
    return subprocess.run(
        [*_COMMAND, *map(str, arguments)],
        cwd=REPOSITORY,
        env=_environment(environment),
        capture_output=True,
        text=True,
        timeout=timeout_s,
        check=False,
    )


def start(
    data: Path, *options: str, port: int, environment: dict[str, str] | None = None
) -> RunningPlatform:
    """Start a platform in the foreground of a process of its own and wait until it is ready."""
    log_path = data.with_name(f"{data.name}.log")
    with log_path.open("wb") as log:
        process = subprocess.Popen(
            [*_COMMAND, "up", "--data", str(data), "--port", str(port), *options],
            cwd=REPOSITORY,
            env=_environment(environment),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
        )
    state = _ready(process, DataFolder(data), log_path)
    return RunningPlatform(
        url=state.url,
        servers=Servers(
            kafka_bootstrap=state.kafka_bootstrap,
            postgres_url=state.postgres_url,
            redis_url=state.redis_url,
        ),
        data=data,
        operator_token=state.operator_token,
        process=process,
        gateway_replicas=int((environment or {}).get("FORKAST_GATEWAY_REPLICAS", "1")),
    )


def stop(platform: RunningPlatform, number: signal.Signals = signal.SIGTERM) -> None:
    """Signal the platform and wait until it has ended with every process that it had.

    Raises ClusterError where it ends badly or leaves a process behind.
    """
    family = platform.family()[1:]
    platform.process.send_signal(number)
    code = platform.process.wait(timeout=_STOP_S)
    if code != (0 if number is signal.SIGTERM else -number):
        raise ClusterError(f"`up` ended with {code}")
    _, alive = psutil.wait_procs(family, timeout=_STOP_S)
    told = [f"{process.pid} {' '.join(process.cmdline())[:120]}" for process in alive]
    for process in alive:
        process.kill()
    if told:
        raise ClusterError(f"left behind after {number.name}: {told}")


@contextlib.contextmanager
def own_platform(*options: str, environment: Mapping[str, str] | None = None) -> Iterator[Path]:
    """Start a platform with this process's settings, in a folder of its own; stop it at the end.

    `environment` comes before what this process has. Yields the folder. Raises ClusterError.
    """
    with tempfile.TemporaryDirectory(prefix="forkast-bench-") as folder:
        where = ["--data", folder]
        started = subprocess.run(
            [*_COMMAND, "up", "--detach", "--port", str(free_port()), *where, *options],
            env={**os.environ, **(environment or {})},
            capture_output=True,
            text=True,
            check=False,
        )
        if started.returncode != 0:
            raise ClusterError(f"no platform came up: {(started.stderr or started.stdout)[-500:]}")
        try:
            yield Path(folder)
        finally:
            subprocess.run([*_COMMAND, "down", *where], capture_output=True, check=False)


def left_of(data: Path) -> Sequence[str]:
    """Return the command lines of processes that name a folder."""
    found = []
    for process in psutil.process_iter():
        try:
            command = " ".join(process.cmdline())
        except psutil.Error:
            continue
        if str(data) in command and process.pid != os.getpid():
            found.append(command)
    return found


def _ready(process: subprocess.Popen[bytes], folder: DataFolder, log_path: Path) -> RunState:
    deadline = time.monotonic() + _START_S
    while time.monotonic() < deadline:
        state = folder.read()
        if state and state.process_id == process.pid and state.ready_s is not None:
            return state
        if process.poll() is not None:
            raise DeployError(f"`up` ended: {log_path.read_text()[-3_000:]}")
        time.sleep(0.1)
    process.terminate()
    raise DeployError(f"not ready after {_START_S:g} s: {log_path.read_text()[-3_000:]}")


def _environment(extra: dict[str, str] | None) -> dict[str, str]:
    clean = {name: value for name, value in os.environ.items() if not name.startswith("FORKAST_")}
    return {**clean, **(extra or {})}
