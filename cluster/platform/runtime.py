"""Ray and Serve on this machine, or a cluster of Ray's that an address names."""

import asyncio
import logging
import os
import shutil
import tempfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, TypeVar

from cluster.errors import DeployError
from cluster.platform import processes
from cluster.platform.proxy_environment import proxy_environment

_T = TypeVar("_T")

NAMESPACE = "forkast"

# Ray gives its node 30 s to come up, which a machine busy with other work may exceed once.
_ATTEMPTS = 2


class RayRuntime:
    """Ray for one platform. All of Ray's calls run on one thread that lives as long as it does.

    Ray ties its processes to the thread that started them, and its calls block.
    """

    def __init__(self, *, address: str, object_store_mb: int) -> None:
        self._address = address
        self._object_store_mb = object_store_mb
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="ray")
        # Short, because the paths of Unix sockets under it may have 107 characters at most.
        self.directory = Path(tempfile.mkdtemp(prefix="forkast-", dir="/tmp"))
        # Ray opens its own folder to every user of the machine; the one around it stays private.
        self._ray_directory = self.directory / "ray"

    @property
    def logs(self) -> Path:
        """Return the folder of the logs of Ray's processes."""
        return self._ray_directory / "session_latest" / "logs"

    async def call(self, function: Callable[..., _T], *arguments: Any) -> _T:
        """Run a blocking call on Ray's thread."""
        return await asyncio.get_running_loop().run_in_executor(self._thread, function, *arguments)

    async def start(self) -> None:
        """Start Ray, or connect to it. Raises DeployError."""
        os.environ.update(proxy_environment(self.directory / "haproxy"))
        for attempt in range(_ATTEMPTS):
            try:
                await self.call(self._init)
            except Exception as error:  # Ray raises whatever its parts raise
                await asyncio.to_thread(self.clear_away)
                if attempt + 1 == _ATTEMPTS:
                    raise DeployError(f"Ray did not start: {error}") from error
            else:
                return

    async def stop(self, *, keep_logs_in: Path) -> None:
        """Stop what `start` started; the logs of the last run move to `keep_logs_in`."""
        try:
            await self.call(disconnect)
        finally:
            self._thread.shutdown(wait=False)
            await asyncio.to_thread(self._put_away, keep_logs_in)

    def _init(self) -> None:
        from cluster.platform.head import start_head

        logging.getLogger("ray").setLevel(logging.ERROR)
        if self._address:
            connect(self._address)
            return
        start_head(
            namespace=NAMESPACE,
            cpus=max(2, os.cpu_count() or 2),
            object_store_bytes=self._object_store_mb * 1024 * 1024,
            directory=self._ray_directory,
        )

    def clear_away(self) -> None:
        """End what a start that failed has left; Ray leaves that to the end of this process."""
        left = processes.family(os.getpid(), naming=str(self.directory))
        processes.end(left, grace_s=0)

    def _put_away(self, keep_logs_in: Path) -> None:
        remove(keep_logs_in)
        if self.logs.exists():
            shutil.move(str(self.logs.resolve()), keep_logs_in)
        shutil.rmtree(self.directory, ignore_errors=True)


def connect(address: str) -> None:
    """Connect this process to a Ray of many nodes, of which its machine is one."""
    import ray

    ray.init(
        address=address,
        namespace=NAMESPACE,
        log_to_driver=False,
        logging_level=logging.ERROR,
    )


def remove(path: Path) -> None:
    """Remove a folder and all in it, or a link to one; nothing where there is none."""
    if path.is_symlink():
        path.unlink()
    shutil.rmtree(path, ignore_errors=True)


def disconnect() -> None:
    """End this process's Ray, or its connection to one."""
    import ray

    if ray.is_initialized():
        ray.shutdown()
