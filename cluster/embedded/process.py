"""One server as a child process: started under a guard, watched, stopped within a bound."""

import asyncio
import os
import random
import signal
import socket
import subprocess
import sys
import time
from collections import deque
from collections.abc import Awaitable, Callable, Mapping, Sequence
from pathlib import Path

from cluster.errors import ServerStartError

_GUARD = Path(__file__).with_name("guard.py")
_LOG_BYTES_MAX = 16 * 1024 * 1024
# Below what the system hands to outgoing connections and Serve to replicas, above Ray's workers.
_PORTS = range(20_000, 30_000)
_given: deque[int] = deque(maxlen=1_000)


def free_port(host: str = "127.0.0.1") -> int:
    """Return a port of an address of this machine that nobody listens on now.

    Not one that this process was given lately, which its server may not have bound yet.
    """
    for port in random.sample(_PORTS, k=200):
        if port in _given:
            continue
        with socket.socket() as probe:
            try:
                probe.bind((host, port))
            except OSError:
                continue
            _given.append(port)
            return port
    raise ServerStartError(f"no free port was found on {host} between 20000 and 29999")


class ServerProcess:
    """A server under the guard: it gets `stop_signal` on `stop` and when its parent dies.

    Output goes to `log_path`, which is turned over at 16 MiB on a start. `user` is an account to
    run as, for root only.
    """

    def __init__(
        self,
        *,
        name: str,
        command: Sequence[str],
        log_path: Path,
        environment: Mapping[str, str] | None = None,
        user: str | None = None,
        keep_search: bool = False,
        stop_signal: signal.Signals = signal.SIGTERM,
    ) -> None:
        self.name = name
        self.log_path = log_path
        self._command = list(command)
        self._environment = dict(environment or {})
        self._user = user
        self._keep_search = keep_search
        self._stop_signal = stop_signal
        self._process: subprocess.Popen[bytes] | None = None
        self._log_start = 0

    @property
    def pid(self) -> int:
        """Return the process id; 0 before the start."""
        return self._process.pid if self._process else 0

    def running(self) -> bool:
        """Say whether the process is alive."""
        return self._process is not None and self._process.poll() is None

    def code(self) -> int | None:
        """Return the exit code; None while the process runs or before its start."""
        return self._process.poll() if self._process else None

    def start(self) -> None:
        """Start the process; call from a thread that lives as long as the server shall."""
        self.log_path.parent.mkdir(parents=True, exist_ok=True)
        if self.log_path.exists() and self.log_path.stat().st_size > _LOG_BYTES_MAX:
            self.log_path.replace(self.log_path.with_suffix(".log.1"))
        guard = [sys.executable, "-I", "-S", str(_GUARD), str(os.getpid())]
        guard += [str(int(self._stop_signal)), self._user or "-", str(int(self._keep_search))]
        with self.log_path.open("ab") as log:
            self._log_start = log.tell()
            self._process = subprocess.Popen(
                guard + self._command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                cwd="/",
                env={**os.environ, **self._environment},
                # A Ctrl-C at the terminal reaches us alone; we stop our servers in order.
                start_new_session=True,
            )

    async def wait_ready(self, probe: Callable[[], Awaitable[None]], *, timeout_s: float) -> None:
        """Try `probe` until it returns. Raises ServerStartError."""
        deadline = time.monotonic() + timeout_s
        while True:
            try:
                async with asyncio.timeout(max(0.1, min(5.0, deadline - time.monotonic()))):
                    await probe()
            except Exception as error:  # each client has its own errors for "not yet"
                if not self.running():
                    raise self.failure(f"ended with code {self.code()} before it was ready") from (
                        error
                    )
                if time.monotonic() > deadline:
                    raise self.failure(f"was not ready after {timeout_s:g} s ({error!r})") from (
                        error
                    )
                await asyncio.sleep(0.05)
            else:
                return

    async def run(self, *, timeout_s: float) -> int | None:
        """Start a tool, wait for its end and return its code; stop it after `timeout_s`."""
        self.start()
        try:
            await self._ended(timeout_s)
        finally:
            await self.stop()
        return self.code()

    async def stop(self, *, timeout_s: float = 15.0) -> None:
        """Ask the process to end; kill it when it has not after `timeout_s`."""
        if self._process is None:
            return
        if self.running():
            self._signal(self._stop_signal)
            if not await self._ended(timeout_s):
                self._signal(signal.SIGKILL)
        await self._ended(5.0)

    def failure(self, what: str) -> ServerStartError:
        """Return an error of this server in one line, with the end of its log."""
        return ServerStartError(f"{self.name} {what}; {self._log_tail()} (log: {self.log_path})")

    def _log_tail(self) -> str:
        with self.log_path.open("rb") as log:
            log.seek(max(self._log_start, log.seek(0, os.SEEK_END) - 4_096))
            lines = log.read().decode(errors="replace").split("\n")
        told = [line.strip() for line in lines if line.strip()]
        if not told:
            return "it said nothing"
        telling = [
            line for line in told if any(word in line for word in ("FATAL", "ERROR", "rror:"))
        ]
        return f"it said: {(telling or told)[-1][:300]}"

    def _signal(self, number: signal.Signals) -> None:
        if self._process is not None and self._process.poll() is None:
            self._process.send_signal(number)

    async def _ended(self, timeout_s: float) -> bool:
        deadline = time.monotonic() + timeout_s
        while self.running():
            if time.monotonic() > deadline:
                return False
            await asyncio.sleep(0.02)
        return True
