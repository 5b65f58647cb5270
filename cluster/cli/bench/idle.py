"""`forkast bench idle`: what a platform costs while nothing happens."""

import contextlib
import sys
from pathlib import Path
from typing import Annotated

import msgspec
import typer
from rich.console import Console
from rich.table import Table

from cluster.data.state import running_state
from cluster.tools.bench.idle import Idle, measure_idle
from cluster.tools.platforms import own_platform

_console = Console(stderr=True, highlight=False)
# What has just been started still loads and compiles.
_SETTLE_S = 15.0


def idle(
    seconds: Annotated[float, typer.Option(min=1, help="How long it is watched.")] = 30.0,
    data: Annotated[
        Path | None, typer.Option(help="A running platform's folder; without it one is started.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON only.")] = False,
) -> None:
    """Measure processor time and memory of each process while nothing happens."""
    with contextlib.ExitStack() as stack:
        settle_s = 0.0
        if data is None:
            _console.print("starting a platform")
            data, settle_s = stack.enter_context(own_platform()), _SETTLE_S
        found = measure_idle(running_state(data), settle_s=settle_s, seconds=seconds)
    if as_json:
        sys.stdout.write(msgspec.json.encode(found).decode() + "\n")
    else:
        _print(found)


def _print(found: Idle) -> None:
    table = Table("process", "number", "cores", "memory MB (PSS)", box=None)
    for column in table.columns[1:]:
        column.justify = "right"
    for one in found.processes:
        table.add_row(one.kind, str(one.processes), f"{one.cores:.3f}", f"{one.megabytes:,.0f}")
    number = sum(one.processes for one in found.processes)
    table.add_row("all", str(number), f"{found.cores:.3f}", f"{found.megabytes:,.0f}", style="bold")
    Console().print(table)
