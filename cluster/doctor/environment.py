"""The machine: interpreter, memory, disk, open files, port, Java, clock."""

import resource
import shutil
import socket
import sys
import time
from pathlib import Path

import httpx
import psutil

from cluster.doctor.findings import Finding, ok, warning, wrong

_AREA = "machine"
_GB = 1_000_000_000
_MEMORY_GB_MIN = 4.0
_DISK_GB_WRONG, _DISK_GB_WARNING = 1.0, 10.0
_FILES_MIN = 4_096
_CLOCK_S_MAX = 1.0


def check_machine(data: Path, *, port: int, running: bool, own_kafka: bool) -> list[Finding]:
    """Look at this machine; `running` says that a platform holds the port rightly."""
    return [
        _python(),
        _memory(running),
        _disk(data),
        _open_files(),
        *([] if running else [_port(port)]),
        *([_java()] if own_kafka else []),
    ]


def check_clock(url: str) -> Finding:
    """Hold this clock against the gateway's, in whole seconds as HTTP tells them."""
    began = time.time()
    answer = httpx.get(f"{url}/health", timeout=5, trust_env=False)
    told = answer.headers.get("date", "")
    if not told:
        return warning(_AREA, "clock", "the gateway tells no time", "look at what stands before it")
    theirs = time.mktime(time.strptime(told, "%a, %d %b %Y %H:%M:%S GMT")) - time.timezone
    apart_s = max(0.0, abs(theirs + 0.5 - (began + time.time()) / 2) - 0.5)
    if apart_s > _CLOCK_S_MAX:
        return wrong(
            _AREA,
            "clock",
            f"{apart_s:.1f} s apart from the gateway's",
            "run an NTP client on every node: order ids and expiries carry the gateways' time",
        )
    return ok(_AREA, "clock", f"within {apart_s + 0.5:.1f} s of the gateway's")


def _python() -> Finding:
    version = sys.version.split()[0]
    if not (3, 11) <= sys.version_info[:2] < (3, 14):
        return wrong(_AREA, "python", version, "use Python 3.11, 3.12 or 3.13")
    return ok(_AREA, "python", version)


def _memory(running: bool) -> Finding:
    free = psutil.virtual_memory().available / _GB
    if free < _MEMORY_GB_MIN and not running:
        return warning(
            _AREA,
            "memory",
            f"{free:.1f} GB free",
            f"a platform with its servers takes about 3 GB: free {_MEMORY_GB_MIN:g} GB",
        )
    return ok(_AREA, "memory", f"{free:.1f} GB free")


def _disk(data: Path) -> Finding:
    place = next(path for path in (data, *data.parents) if path.exists())
    free = shutil.disk_usage(place).free / _GB
    told = f"{free:.1f} GB free at {place}"
    remedy = "the log is kept for ever: give --data a larger disk, or free some of this one"
    if free < _DISK_GB_WRONG:
        return wrong(_AREA, "disk", told, remedy)
    return (
        warning(_AREA, "disk", told, remedy) if free < _DISK_GB_WARNING else ok(_AREA, "disk", told)
    )


def _open_files() -> Finding:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    # Ray raises the soft limit up to the hard one.
    if hard != resource.RLIM_INFINITY and hard < _FILES_MIN:
        return wrong(
            _AREA, "open files", f"at most {hard}", f"raise `ulimit -Hn` to {_FILES_MIN} or more"
        )
    return ok(_AREA, "open files", f"{soft}, at most {hard}")


def _port(port: int) -> Finding:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return wrong(
                _AREA, "port", f"{port} is in use", "give another with --port or FORKAST_PORT"
            )
    return ok(_AREA, "port", f"{port} is free")


def _java() -> Finding:
    from cluster.embedded.kafka_artifacts import java

    path = Path(java())
    if not path.exists():
        return wrong(_AREA, "java", f"{path} is missing", "install the packages again: `uv sync`")
    return ok(_AREA, "java", str(path))
