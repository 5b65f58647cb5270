"""`forkast bench idle`: what a platform costs while nothing happens."""

from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from cluster.cli.bench.given import AsJson, Data, given_platform, print_json
from cluster.tools.bench.idle import Idle, measure_idle

# What has just been started still loads and compiles.
_SETTLE_S = 15.0


def idle(
    seconds: Annotated[float, typer.Option(min=1, help="How long it is watched.")] = 30.0,
    data: Data = None,
    as_json: AsJson = False,
) -> None:
    """Measure processor time and memory of each process while nothing happens."""
    settle_s = _SETTLE_S if data is None else 0.0
    with given_platform(data) as state:
        found = measure_idle(state, settle_s=settle_s, seconds=seconds)
    if as_json:
        print_json(found)
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
