"""Faults done to real processes, nodes and links; each is over when its function returns."""

import asyncio
import contextlib
import signal
import time
from pathlib import Path

import psutil

from cluster.tools.chaos.bed import STREAM_PORTS, BrokenPlatform
from cluster.tools.chaos.plan import STREAMS, Action, Fault, Target
from cluster.tools.chaos.signals import frozen, send
from cluster.tools.chaos.streams import break_stream
from cluster.tools.chaos.victims import victim

_ENDED_S = 5.0
_STARVED_S = 0.09
_FED_S = 0.01
_BLOCK = bytes(1024 * 1024)


async def inject(platform: BrokenPlatform, fault: Fault) -> bool:
    """Do a fault in its moment; say whether there was something to hit."""
    await asyncio.sleep(fault.after_s)
    if fault.action is Action.FILL:
        await _fill(platform.running.data, fault.lasts_s)
        return True
    if fault.target in (Target.NODE, Target.LINK):
        return platform.workers is not None and await platform.workers.hit(fault)
    process = await victim(platform, fault)
    if process is None:
        return False
    with contextlib.suppress(psutil.NoSuchProcess):
        if fault.target in STREAMS:
            workers = platform.workers
            machine = workers.machine_of(process) if workers else None
            return await break_stream(process, fault, ports=STREAM_PORTS, machine=machine)
        match fault.action:
            case Action.KILL:
                send(_with_children(process, fault.target), signal.SIGKILL)
            case Action.RESTART:
                await _end(process, fault.target)
            case Action.FREEZE:
                with frozen([process, *process.children(recursive=True)]):
                    await asyncio.sleep(fault.lasts_s)
            case Action.STARVE:
                await _starve(process, fault.lasts_s)
    return True


async def _end(process: psutil.Process, target: Target) -> None:
    """Tell a process to end, and give it time to."""
    # Postgres waits for its clients on SIGTERM, and disconnects them on SIGINT.
    process.send_signal(signal.SIGINT if target is Target.POSTGRES else signal.SIGTERM)
    with contextlib.suppress(psutil.TimeoutExpired):
        await asyncio.to_thread(process.wait, _ENDED_S)


async def _starve(process: psutil.Process, lasts_s: float) -> None:
    """Leave a process a tenth of its time."""
    until_s = time.monotonic() + lasts_s
    while time.monotonic() < until_s:
        with frozen([process, *process.children(recursive=True)]):
            await asyncio.sleep(_STARVED_S)
        await asyncio.sleep(_FED_S)


async def _fill(data: Path, lasts_s: float) -> None:
    """Leave no room under the data folder, which has a quota of its own."""
    ballast = data / "ballast"
    try:
        await asyncio.to_thread(_write_all, ballast)
        await asyncio.sleep(lasts_s)
    finally:
        ballast.unlink(missing_ok=True)


def _write_all(path: Path) -> None:
    with contextlib.suppress(OSError), path.open("wb", buffering=0) as file:
        while file.write(_BLOCK):
            continue


def _with_children(process: psutil.Process, target: Target) -> list[psutil.Process]:
    """Return what dies together: a server's processes, but of Ray's only the one."""
    if target is Target.POSTGRES:
        return [process, *process.children(recursive=True)]
    return [process]
