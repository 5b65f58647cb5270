"""Where a process can be reached by stream: a Unix socket on its own node, TCP from others."""

import contextlib
import fcntl
import os
import secrets
import socket
import stat
from collections.abc import Iterator
from pathlib import Path

import msgspec
import structlog

_log = structlog.get_logger(__name__)
_BACKLOG = 128
_PROBE_S = 1.0
_SUFFIX = ".sock"
# A machine that has confirmed nothing for so long is gone. A process that reads nothing looks like
# one once the buffers are full, so this is as long as a router waits for any answer. Where nothing
# is sent, the machine is asked after 5 s, and again each second.
_KEEP_ALIVE = {
    "TCP_USER_TIMEOUT": 10_000,
    "TCP_KEEPIDLE": 5,
    "TCP_KEEPINTVL": 1,
    "TCP_KEEPCNT": 5,
}


class Endpoint(msgspec.Struct, frozen=True, kw_only=True):
    """What a process names to those who look for it.

    `path` holds for processes of the node `node_id`, `host` and `port` for all. `port` is 0 where
    none could be had.
    """

    node_id: str
    path: str
    host: str
    port: int


class Listening:
    """The sockets of one process, bound and listening; whoever connects waits until it serves.

    `ports` bounds the TCP port, which is the system's choice where it is (0, 0). Raises OSError.
    """

    def __init__(
        self, *, node_id: str, host: str, ports: tuple[int, int] = (0, 0), folder: Path
    ) -> None:
        self.local, path = _listen_locally(folder)
        self.remote = _listen_on(host, ports)
        port = self.remote.getsockname()[1] if self.remote else 0
        self.endpoint = Endpoint(node_id=node_id, path=str(path), host=host, port=port)

    @property
    def sockets(self) -> list[socket.socket]:
        """Return the sockets to accept on."""
        return [one for one in (self.local, self.remote) if one is not None]

    def close(self) -> None:
        """Close all and take the file away."""
        for one in self.sockets:
            one.close()
        path = Path(self.endpoint.path)
        with contextlib.suppress(OSError), _held(path.parent):
            path.unlink(missing_ok=True)
            path.parent.rmdir()


def socket_folder() -> Path:
    """Return the folder of this user's sockets: of no data folder, whose path may be too long."""
    return Path(f"/tmp/forkast-streams-{os.getuid()}")  # noqa: S108 - owner and mode are checked


def remove_stale(folder: Path) -> None:
    """Remove the sockets of processes that are no more, and the folder where none is left."""
    if not folder.exists():
        return
    with _held(folder):
        _remove_stale(folder)
        with contextlib.suppress(OSError):
            folder.rmdir()


def keep_alive(connected: socket.socket) -> None:
    """Have the system notice within seconds a peer whose machine is gone. Raises OSError."""
    if connected.family == socket.AF_UNIX:
        return
    connected.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for name, value in _KEEP_ALIVE.items():
        if hasattr(socket, name):
            connected.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), value)


def _listen_locally(folder: Path) -> tuple[socket.socket, Path]:
    with _held(folder):
        _remove_stale(folder)
        path = folder / f"{secrets.token_hex(4)}{_SUFFIX}"
        listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            listener.bind(str(path))
            path.chmod(0o600)
            listener.listen(_BACKLOG)
        except OSError:
            listener.close()
            raise
        return listener, path


def _listen_on(host: str, ports: tuple[int, int]) -> socket.socket | None:
    """Take a port of the range that nobody has; None where there is none, which is told."""
    first, last = ports
    count = last - first + 1
    turn = secrets.randbelow(count)
    why = ""
    for step in range(count):
        listener = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
        try:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind((host, first + (turn + step) % count))
            listener.listen(_BACKLOG)
        except OSError as error:
            listener.close()
            why = str(error)
        else:
            return listener
    _log.error("stream_has_no_port", host=host, first=first, last=last, why=why)
    return None


@contextlib.contextmanager
def _held(folder: Path) -> Iterator[None]:
    """Make a folder that is this user's alone, and keep others from changing it meanwhile."""
    while True:
        with contextlib.suppress(FileExistsError):
            folder.mkdir(mode=0o700)
        try:
            handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
        except FileNotFoundError:  # removed meanwhile
            continue
        try:
            found = os.fstat(handle)
            if found.st_uid != os.getuid() or stat.S_IMODE(found.st_mode) != 0o700:
                raise PermissionError(f"{folder} is not a folder of this user alone")
            fcntl.flock(handle, fcntl.LOCK_EX)
            # Whoever held it before may have removed it.
            if _is_at(folder, found):
                yield
                return
        finally:
            os.close(handle)


def _is_at(folder: Path, found: os.stat_result) -> bool:
    try:
        return os.path.samestat(folder.stat(), found)
    except FileNotFoundError:
        return False


def _remove_stale(folder: Path) -> None:
    for path in folder.glob(f"*{_SUFFIX}"):
        with socket.socket(socket.AF_UNIX) as probe:
            probe.settimeout(_PROBE_S)
            try:
                probe.connect(str(path))
            except ConnectionRefusedError:
                path.unlink(missing_ok=True)
            except OSError:
                continue
