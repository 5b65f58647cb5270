"""`forkast bench scale`: how cost grows with pairs, with the size of a book, and with its log."""

import logging
import sys
from typing import Annotated

import structlog
import typer
from rich.console import Console
from rich.table import Table

from cluster.cli.bench.given import AsJson, console, print_json
from cluster.tools.bench.scale import measure_scale
from cluster.tools.bench.scale_report import Report, markdown, tables


def scale(
    seconds: Annotated[float, typer.Option(min=1, help="How long each throughput is held.")] = 10.0,
    most: Annotated[int, typer.Option(min=1_000, help="Largest book and longest log.")] = 1_000_000,
    platform: Annotated[bool, typer.Option(help="Start one to measure throughput.")] = True,
    as_json: AsJson = False,
    as_markdown: Annotated[
        bool, typer.Option("--markdown", help="Print tables and plots for a page.")
    ] = False,
) -> None:
    """Measure how cost grows: with pairs, open orders, quiet pairs in one process, and the log."""
    # A line for each pair that starts would be hundreds, and stand among the JSON.
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    report = measure_scale(seconds=seconds, most=most, platform=platform, tell=console.print)
    if as_json:
        print_json(report)
    elif as_markdown:
        sys.stdout.write(markdown(report))
    else:
        _print(report)


def _print(report: Report) -> None:
    out = Console()
    for heads, *rows in tables(report):
        table = Table(*heads, box=None)
        for row in rows:
            table.add_row(*row)
        out.print(table)
