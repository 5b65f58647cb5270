"""Load from the client's side to the committed row, shape by shape."""

import asyncio
import time
from collections.abc import Callable

import msgspec
import numpy as np
import psutil

from actors.platform.errors import ForkastError
from actors.platform.topology import Topology
from cluster.data.state import RunState
from cluster.errors import ClusterError
from cluster.platform import processes
from cluster.tools.bench.pipeline.observer import ObserverProcess, percentiles_ms
from cluster.tools.bench.pipeline.orders import sources
from cluster.tools.bench.pipeline.shapes import Load, Shape, packed_log, packed_rest, single, steady

SHAPES: dict[str, tuple[Shape, float]] = {
    "packed-log": (packed_log, 0.0),
    "packed-rest": (packed_rest, 0.0),
    "single": (single, 0.0),
    "steady-300": (steady, 300.0),
}
_DRAIN_S = 60.0
_WARM_S_MAX = 3.0


class Result(msgspec.Struct, kw_only=True):
    """What one shape of load reached; latencies in milliseconds, cpu in shares of one core.

    `orders_refused` are those for which the gateway was too busy, `answer_ms` is what a client of
    REST waits for its answer, from when its request was due.
    """

    mode: str
    pairs: int
    seconds: float
    orders_sent: int
    orders_refused: int
    orders_per_second: float
    trades_per_second: float
    rows_per_second: float
    orders_behind_at_end: int
    trade_event_ms: dict[str, float]
    committed_ms: dict[str, float]
    answer_ms: dict[str, float]
    cpu: dict[str, float]


def measure(
    name: str,
    state: RunState,
    topology: Topology,
    *,
    pairs: int,
    seed: int,
    seconds: float,
    tell: Callable[[str], None],
) -> Result:
    """Hold one shape of load against a running platform. Raises ClusterError."""
    shape, rate = SHAPES[name]
    with ObserverProcess(state, topology) as observer:
        load = Load(
            state=state,
            topology=topology,
            sources=sources(topology, pairs=pairs, seed=seed),
            committed=observer.committed,
            rate_per_second=rate,
        )
        tell(f"{name}: warming up, then {seconds:g} s")
        _drive(shape, load, min(_WARM_S_MAX, seconds))
        _drain(load)
        observer.begin()
        before = _cpu(state, observer)
        _drive(shape, load, seconds)
        after = _cpu(state, observer)
        observed = observer.report()
        _drain(load)
        drained = observer.report()
    return Result(
        mode=name,
        pairs=pairs,
        seconds=round(observed.seconds, 2),
        orders_sent=load.sent,
        orders_refused=load.refused,
        orders_per_second=round(observed.orders / observed.seconds, 1),
        trades_per_second=round(observed.trades / observed.seconds, 1),
        rows_per_second=round(observed.rows / observed.seconds, 1),
        orders_behind_at_end=observed.behind_orders,
        trade_event_ms=drained.trade_event_ms,
        committed_ms=drained.committed_ms,
        answer_ms=percentiles_ms([np.array(load.answer_us, np.int64)]),
        cpu={
            kind: round((used - before.get(kind, 0.0)) / observed.seconds, 3)
            for kind, used in sorted(after.items(), key=lambda item: -item[1])
            if used - before.get(kind, 0.0) > 0.01 * observed.seconds
        },
    )


def _drive(shape: Shape, load: Load, seconds: float) -> None:
    load.begin(seconds)
    try:
        asyncio.run(asyncio.wait_for(shape(load), seconds + _DRAIN_S))
    except* TimeoutError as errors:
        raise ClusterError(f"the load had no answer for {_DRAIN_S:g} s") from errors
    except* (ForkastError, OSError) as errors:
        raise ClusterError(f"the load stopped: {errors.exceptions[0]}") from errors


def _drain(load: Load) -> None:
    """Wait until every order that was sent has its row. Raises ClusterError."""
    deadline = time.monotonic() + _DRAIN_S
    while (missing := load.total_sent - load.committed.value) > 0:
        if time.monotonic() > deadline:
            raise ClusterError(f"{missing} orders had no row {_DRAIN_S:g} s after the load")
        time.sleep(0.1)


def _cpu(state: RunState, observer: ObserverProcess) -> dict[str, float]:
    used = processes.cpu_seconds_by_kind(processes.family(state.process_id))
    mine = psutil.Process().cpu_times()
    theirs = psutil.Process(observer.process_id).cpu_times()
    return {
        **used,
        "load generator": mine.user + mine.system,
        "observer": theirs.user + theirs.system,
    }
