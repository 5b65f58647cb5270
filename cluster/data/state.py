"""The data folder: held by one platform at a time, telling others what runs in it."""

import contextlib
import fcntl
import os
import shutil
import time
from pathlib import Path
from typing import IO

import msgspec
import psutil

from cluster.errors import AlreadyRunningError, ClusterError

_LEFTOVERS_S = 20.0


class RunState(msgspec.Struct, kw_only=True):
    """What `status`, `down` and the benches need to know of a running platform.

    `phases` are seconds since `up` began at which a part was ready; `ready_s` is the last, the
    first moment at which an order is accepted. `servers` are (process id, creation time) pairs.
    """

    process_id: int
    started_us: int
    url: str
    postgres_url: str = ""
    redis_url: str = ""
    kafka_bootstrap: str = ""
    ray_directory: str = ""
    ray_address: str = ""
    operator_token: str = ""
    markets_file: str = ""
    trace: str = ""
    ready_s: float | None = None
    phases: dict[str, float] = {}
    servers: list[tuple[int, float]] = []


class DataFolder:
    """One platform's folder: databases, logs, snapshots, the lock and the state."""

    def __init__(self, path: Path) -> None:
        self.path = path.resolve()
        self.logs = self.path / "logs"
        self._state_path = self.path / "state.json"
        self._lock: IO[str] | None = None

    def hold(self) -> None:
        """Take the folder for this process; wait for servers of a killed platform to end.

        Raises AlreadyRunningError.
        """
        self.logs.mkdir(parents=True, exist_ok=True)
        lock = (self.path / "lock").open("a")
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            lock.close()
            state = self.read()
            where = f" by process {state.process_id} at {state.url}" if state else ""
            raise AlreadyRunningError(
                f"{self.path} is in use{where}: stop it with `forkast down`, or give --data"
            ) from error
        self._lock = lock
        self._wait_for_leftovers()

    def release(self) -> None:
        """Give the folder back."""
        if self._lock is not None:
            self._state_path.unlink(missing_ok=True)
            self._lock.close()
            self._lock = None

    def held(self) -> bool:
        """Say whether a platform runs in this folder now."""
        path = self.path / "lock"
        if not path.exists():
            return False
        with path.open("a") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                return True
        return False

    def write(self, state: RunState) -> None:
        """Keep the state, readable by its owner alone: it holds passwords."""
        fresh = self._state_path.with_suffix(".new")
        fresh.unlink(missing_ok=True)
        with os.fdopen(os.open(fresh, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "wb") as file:
            file.write(msgspec.json.format(msgspec.json.encode(state)))
        fresh.replace(self._state_path)

    def read(self) -> RunState | None:
        """Return the state of the last platform that ran here, None where there is none."""
        try:
            return msgspec.json.decode(self._state_path.read_bytes(), type=RunState)
        except (OSError, msgspec.DecodeError):
            return None

    def _wait_for_leftovers(self) -> None:
        state = self.read()
        if state is None:
            return
        deadline = time.monotonic() + _LEFTOVERS_S
        for process_id, created in state.servers:
            with contextlib.suppress(psutil.Error):
                process = psutil.Process(process_id)
                if abs(process.create_time() - created) < 1:
                    process.wait(max(0.0, deadline - time.monotonic()))
        if Path(state.ray_directory).name.startswith("forkast-"):
            shutil.rmtree(state.ray_directory, ignore_errors=True)


def running_state(data: Path) -> RunState:
    """Return the state of the platform that runs in a folder. Raises ClusterError."""
    folder = DataFolder(data)
    state = folder.read()
    if state is None or not folder.held():
        raise ClusterError(f"no platform is running in {folder.path}: start one with `forkast up`")
    return state
