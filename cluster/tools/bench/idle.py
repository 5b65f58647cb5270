"""What a platform costs while nothing happens: processor and memory of each kind of process."""

import time

import msgspec

from cluster.data.state import RunState
from cluster.platform import processes
from cluster.tools.bench.usage import cores, usage_of


class IdleProcesses(msgspec.Struct, kw_only=True):
    """One kind of process: how many, the share of one core and the memory (PSS) of all."""

    kind: str
    processes: int
    cores: float
    megabytes: float


class Idle(msgspec.Struct, kw_only=True):
    """All kinds, the busiest first, and their sums."""

    seconds: float
    cores: float
    megabytes: float
    processes: list[IdleProcesses]


def measure_idle(state: RunState, *, settle_s: float, seconds: float) -> Idle:
    """Look at a running platform after `settle_s`, and once more `seconds` later."""
    time.sleep(settle_s)
    before = usage_of(state.process_id, others={})
    time.sleep(seconds)
    after = usage_of(state.process_id, others={})
    family = processes.family(state.process_id)
    numbers, memory = processes.count_by_kind(family), processes.memory_by_kind(family)
    return idle_of(cores(before, after), numbers=numbers, memory=memory, seconds=seconds)


def idle_of(
    shares: dict[str, float], *, numbers: dict[str, int], memory: dict[str, int], seconds: float
) -> Idle:
    """Return the report of cores, numbers and bytes by kind of process."""
    return Idle(
        seconds=seconds,
        cores=round(sum(shares.values()), 3),
        megabytes=round(sum(memory.values()) / 1e6, 1),
        processes=[
            IdleProcesses(
                kind=kind,
                processes=numbers.get(kind, 0),
                cores=round(share, 4),
                megabytes=round(memory.get(kind, 0) / 1e6, 1),
            )
            for kind, share in shares.items()
        ],
    )
