"""`forkast bench pipeline`: load from the client's side to the committed row, shape by shape."""

import asyncio
import contextlib
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import msgspec
import numpy as np
import psutil
import typer
from rich.console import Console
from rich.table import Table

from actors.platform.errors import ForkastError
from actors.platform.topology import Topology
from cluster.cli.options import running_state, topology_of
from cluster.data.state import RunState
from cluster.errors import ClusterError
from cluster.platform import processes
from cluster.tools.bench.pipeline.observer import ObserverProcess, percentiles_ms
from cluster.tools.bench.pipeline.orders import sources
from cluster.tools.bench.pipeline.shapes import Load, Shape, packed_log, packed_rest, single, steady

_SHAPES: dict[str, tuple[Shape, float]] = {
    "packed-log": (packed_log, 0.0),
    "packed-rest": (packed_rest, 0.0),
    "single": (single, 0.0),
    "steady-300": (steady, 300.0),
}
_DRAIN_S = 60.0
_WARM_S_MAX = 3.0
_console = Console(stderr=True)


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


def pipeline(
    seconds: Annotated[float, typer.Option(min=1, help="How long each shape is held.")] = 60.0,
    mode: Annotated[
        list[str] | None, typer.Option(help=f"One of {', '.join(_SHAPES)}; may be repeated.")
    ] = None,
    pairs: Annotated[int, typer.Option(min=1, help="How many markets get load.")] = 10,
    seed: Annotated[int, typer.Option(help="Of the orders drawn.")] = 1,
    data: Annotated[
        Path | None, typer.Option(help="A running platform's folder; without it one is started.")
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Print JSON only.")] = False,
) -> None:
    """Measure orders from the client through Kafka, router, actors and Kafka to Postgres."""
    wanted = mode or list(_SHAPES)
    if unknown := [name for name in wanted if name not in _SHAPES]:
        raise ClusterError(f"{unknown[0]!r} is none of {', '.join(_SHAPES)}")
    with contextlib.ExitStack() as stack:
        folder = data or stack.enter_context(own_platform())
        state = running_state(folder)
        topology = topology_of(state.markets_file)
        if pairs > len(topology):
            raise ClusterError(f"the platform has {len(topology)} markets, not {pairs}")
        results = [
            measure(name, state, topology, pairs=pairs, seed=seed, seconds=seconds)
            for name in wanted
        ]
    if json:
        sys.stdout.write(msgspec.json.encode(results).decode() + "\n")
    else:
        _print(results)


def measure(
    name: str, state: RunState, topology: Topology, *, pairs: int, seed: int, seconds: float
) -> Result:
    """Hold one shape of load against a running platform. Raises ClusterError."""
    shape, rate = _SHAPES[name]
    with ObserverProcess(state, topology) as observer:
        load = Load(
            state=state,
            topology=topology,
            sources=sources(topology, pairs=pairs, seed=seed),
            committed=observer.committed,
            rate_per_second=rate,
        )
        _console.print(f"{name}: warming up, then {seconds:g} s", highlight=False)
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


@contextlib.contextmanager
def own_platform(*more: str) -> Iterator[Path]:
    """Start a platform in a folder of its own, with more options; stop it at the end."""
    with tempfile.TemporaryDirectory(prefix="forkast-bench-") as folder:
        command = [sys.executable, "-m", "cluster.cli"]
        options = ["--data", folder]
        _console.print("starting a platform", highlight=False)
        started = subprocess.run(
            [*command, "up", "--detach", "--port", str(_free_port()), *options, *more],
            capture_output=True,
            text=True,
            check=False,
        )
        if started.returncode != 0:
            raise ClusterError(f"no platform came up: {(started.stderr or started.stdout)[-500:]}")
        try:
            yield Path(folder)
        finally:
            subprocess.run([*command, "down", *options], capture_output=True, check=False)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _print(results: list[Result]) -> None:
    out = Console()
    table = Table(
        "mode", "orders/s", "trades/s", "rows/s", "trade event ms", "committed row ms", "answer ms",
        caption="milliseconds: p50 / p95 / p99",
    )  # fmt: skip
    for one in results:
        table.add_row(
            one.mode,
            f"{one.orders_per_second:,.0f}",
            f"{one.trades_per_second:,.0f}",
            f"{one.rows_per_second:,.0f}",
            _slashed(one.trade_event_ms),
            _slashed(one.committed_ms),
            _slashed(one.answer_ms),
        )
    out.print(table)
    for one in results:
        shares = ", ".join(f"{kind} {share:.2f}" for kind, share in one.cpu.items())
        out.print(f"{one.mode}: cores used: {shares}", highlight=False)


def _slashed(percentiles: dict[str, Any]) -> str:
    return " / ".join(f"{value:,.1f}" for value in percentiles.values())
