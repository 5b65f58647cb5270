"""The platform's processes as the system sees them: who they are, what they hold, their end."""

import contextlib
import os
from collections import defaultdict
from pathlib import Path

import psutil

_GRACE_S = 5.0


def family(process_id: int, *, naming: str = "") -> list[psutil.Process]:
    """Return a process and all its descendants, or those of them whose command names a text."""
    try:
        parent = psutil.Process(process_id)
        found = [parent, *parent.children(recursive=True)]
    except psutil.NoSuchProcess:
        return []
    return [process for process in found if not naming or naming in _command(process)]


def proportional_bytes(process_id: int) -> int:
    """Return a process's proportional set size: its own memory and its part of what it shares."""
    try:
        rollup = Path(f"/proc/{process_id}/smaps_rollup").read_text()
    except OSError:
        return 0
    return next(
        (int(line.split()[1]) * 1024 for line in rollup.splitlines() if line.startswith("Pss:")), 0
    )


def memory_by_kind(processes: list[psutil.Process]) -> dict[str, int]:
    """Return proportional set sizes in bytes, summed by what the processes are."""
    totals: dict[str, int] = defaultdict(int)
    for process in processes:
        with contextlib.suppress(psutil.Error):
            totals[_kind(process)] += proportional_bytes(process.pid)
    return dict(sorted(totals.items(), key=lambda item: -item[1]))


def count_by_kind(processes: list[psutil.Process]) -> dict[str, int]:
    """Return how many processes there are of each kind."""
    totals: dict[str, int] = defaultdict(int)
    for process in processes:
        with contextlib.suppress(psutil.Error):
            totals[_kind(process)] += 1
    return dict(totals)


def cpu_seconds_by_kind(processes: list[psutil.Process]) -> dict[str, float]:
    """Return the processor seconds used so far, summed by what the processes are."""
    totals: dict[str, float] = defaultdict(float)
    for process in processes:
        with contextlib.suppress(psutil.Error):
            used = process.cpu_times()
            totals[_kind(process)] += used.user + used.system
    return dict(totals)


def end(processes: list[psutil.Process], *, grace_s: float = _GRACE_S) -> list[psutil.Process]:
    """Wait for processes that should be ending, then kill them; return those killed."""
    me = os.getpid()
    _, late = psutil.wait_procs([one for one in processes if one.pid != me], timeout=grace_s)
    for process in late:
        with contextlib.suppress(psutil.NoSuchProcess):
            process.kill()
    psutil.wait_procs(late, timeout=_GRACE_S)
    return late


def _command(process: psutil.Process) -> str:
    try:
        return " ".join(process.cmdline())
    except psutil.Error:
        return ""


def _kind(process: psutil.Process) -> str:
    command = process.cmdline()
    title = " ".join(command)
    if "kafka.Kafka" in command:
        return "Kafka"
    if "haproxy" in process.name():
        return "HAProxy"
    for word, kind in _TITLES:
        if word in title:
            return kind
    return Path(command[0]).name if command else process.name()


_TITLES = (
    ("ServeReplica:gateway", "gateway"),
    ("ServeReplica:hub", "hub"),
    ("ServeReplica:router", "router"),
    ("ServeReplica", "Serve replica"),
    ("ServeController", "Serve controller"),
    ("ProxyActor", "Serve proxy"),
    ("HAProxyManager", "Serve proxy"),
    ("ray::PairActor", "pair actors"),
    ("WriterActor", "writer"),
    ("ray::CandlesWorker", "candles"),
    ("ray::", "other Ray workers"),
    ("raylet/raylet", "raylet"),
    ("gcs_server", "Ray's GCS"),
    ("valkey-server", "Valkey"),
    ("postgres", "Postgres"),
    ("agent.py", "Ray's agents"),
    ("ray/dashboard", "Ray's dashboard"),
    ("log_monitor", "Ray's log monitor"),
    ("monitor.py", "Ray's monitor"),
    ("cluster.cli demo", "demo"),
    ("cluster.cli", "forkast up"),
)
