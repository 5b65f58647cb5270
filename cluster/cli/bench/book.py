"""`forkast bench book`: the matching kernel's rates beside other books over the same flow."""

from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from cluster.cli.bench.given import AsJson, print_json
from cluster.tools.bench.book import measure_books


def book(
    seconds: Annotated[float, typer.Option(help="About how long to measure, in all.")] = 60.0,
    commands: Annotated[int, typer.Option(min=1_000, help="Length of each flow.")] = 500_000,
    seed: Annotated[int, typer.Option(help="Seed of the flow.")] = 1,
    peers: Annotated[bool, typer.Option(help="Run the PyPI books that are installed.")] = True,
    as_json: AsJson = False,
) -> None:
    """Measure the matching kernel: commands a second by batch size, beside other books.

    The flow: a walking mid, power-law distances, 15 % IOC, 20 % of the rest amended, 95 % of the
    rest cancelled, thousands of live orders (cluster/tools/bench/flow.py). Figures are medians of
    rounds in which all books take turns, events included, a second of one core's time.
    """
    with Console(stderr=True, quiet=as_json).status("a start with a warm cache") as status:
        report = measure_books(
            seconds=seconds, commands=commands, seed=seed, peers=peers, tell=status.update
        )
    if as_json:
        print_json(report)
        return
    Console().print(_results_table(report), _peers_table(report))
    typer.echo(f"batch of one, worst scenario: {report['batch_of_one_us']} us")
    typer.echo(f"start with a warm cache: {report['cached_start_seconds']} s")


def _results_table(report: dict[str, Any]) -> Table:
    table = Table(title="Forkast's kernel, events included")
    for heading in ("scenario", "batch size", "commands/s", "events/s"):
        table.add_column(heading, justify="left" if heading == "scenario" else "right")
    for row in report["results"]:
        table.add_row(
            row["scenario"],
            str(row["batch_size"]),
            f"{row['commands_per_second']:,}",
            f"{row['events_per_second']:,}",
        )
    return table


def _peers_table(report: dict[str, Any]) -> Table:
    table = Table(title="Other books over the same flow, and how many times faster batches of 256")
    for heading in ("scenario", "book", "commands/s", "ratio"):
        table.add_column(heading, justify="left" if heading in ("scenario", "book") else "right")
    for row in report["peers"]:
        table.add_row(
            row["scenario"], row["name"], f"{row['commands_per_second']:,}", f"{row['ratio']:,}"
        )
    return table
