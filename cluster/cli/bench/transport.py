"""`forkast bench transport`: what a request to an actor costs, by Ray's call and by stream."""

import asyncio
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from cluster.cli.bench.given import AsJson, print_json
from cluster.platform.environment import prepare
from cluster.tools.bench.transport import Cost, measure_transport


def transport(
    rate: Annotated[
        list[int] | None, typer.Option(min=1, help="Requests a second; may be given again.")
    ] = None,
    actors: Annotated[int, typer.Option(min=1, help="How many answer, in turn.")] = 10,
    size: Annotated[int, typer.Option(min=1, help="Bytes of a request, and of its answer.")] = 400,
    seconds: Annotated[float, typer.Option(min=1, help="How long each rate is held.")] = 5.0,
    as_json: AsJson = False,
) -> None:
    """Measure the processor time that both ends spend on a request, on a Ray of the bench's own."""
    prepare(own_ray=True)
    costs = asyncio.run(
        measure_transport(
            rates=rate or [100, 300, 1_000], actors=actors, request_bytes=size, seconds=seconds
        )
    )
    if as_json:
        print_json(costs)
    else:
        Console().print(_table(costs))


def _table(costs: list[Cost]) -> Table:
    table = Table(title="One request, both ends")
    for heading in ("way", "asked/s", "answered/s", "processor ms", "p50 ms", "p99 ms"):
        table.add_column(heading, justify="left" if heading == "way" else "right")
    for one in costs:
        table.add_row(
            one.way,
            f"{one.requests_per_second:,}",
            f"{one.answered_per_second:,}",
            f"{one.cpu_ms:.3f}",
            f"{one.p50_ms:.2f}",
            f"{one.p99_ms:.2f}",
        )
    return table
