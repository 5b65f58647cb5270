"""Processor time by kind of process, and what of it is left where the idle cost is taken off."""

import asyncio
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

import psutil

from cluster.platform import processes


@dataclass(frozen=True, slots=True)
class Usage:
    """The processor seconds that each kind of process had used by a moment."""

    at_s: float
    cpu_s: Mapping[str, float]


def usage_of(platform_id: int, *, others: Mapping[str, Iterable[int]]) -> Usage:
    """Return what a platform's processes and `others` (process ids by kind) have used so far."""
    used = processes.cpu_seconds_by_kind(processes.family(platform_id))
    for kind, process_ids in others.items():
        times = [psutil.Process(process_id).cpu_times() for process_id in process_ids]
        used[kind] = sum(one.user + one.system for one in times)
    return Usage(time.monotonic(), used)


def cores(before: Usage, after: Usage) -> dict[str, float]:
    """Return the share of one core that each kind used between two moments, largest first."""
    seconds = after.at_s - before.at_s
    shares = {
        kind: (used - before.cpu_s.get(kind, 0.0)) / seconds for kind, used in after.cpu_s.items()
    }
    return dict(sorted(shares.items(), key=lambda item: -item[1]))


async def cores_at_rest(
    look: Callable[[], Usage], seconds: float, *, tell: Callable[[str], None]
) -> dict[str, float]:
    """Return the share of one core that each kind uses while nothing is asked of it."""
    tell(f"nothing for {seconds:g} s")
    before = look()
    await asyncio.sleep(seconds)
    return cores(before, look())


def quieter(one: Mapping[str, float], other: Mapping[str, float]) -> dict[str, float]:
    """Return the smaller share of each kind: a runtime that still compiles is not at rest."""
    return {kind: min(share, other.get(kind, share)) for kind, share in one.items()}


def beyond_idle(before: Usage, after: Usage, idle: Mapping[str, float]) -> dict[str, float]:
    """Return the seconds that each kind used beyond its `idle` cores, largest first.

    One that does less under load than in peace, as a reader that need not wait in vain, is below
    zero: the sum is what the load costs.
    """
    seconds = after.at_s - before.at_s
    used = {
        kind: (share - idle.get(kind, 0.0)) * seconds
        for kind, share in cores(before, after).items()
    }
    return dict(sorted(used.items(), key=lambda item: -item[1]))
