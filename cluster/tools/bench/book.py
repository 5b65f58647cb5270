"""`forkast bench book`: the matching kernel's pace beside other books over the same flow."""

from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any

import msgspec
import typer
from rich.console import Console
from rich.table import Table

from cluster.tools.bench.flow import DEFAULT_MIX

if TYPE_CHECKING:
    from cluster.tools.bench.race import Pace


def book(
    seconds: Annotated[float, typer.Option(help="About how long to measure, in all.")] = 60.0,
    commands: Annotated[int, typer.Option(min=1_000, help="Length of each flow.")] = 500_000,
    seed: Annotated[int, typer.Option(help="Seed of the flow.")] = 1,
    peers: Annotated[bool, typer.Option(help="Run the PyPI books that are installed.")] = True,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON only.")] = False,
) -> None:
    """Measure the matching kernel: commands a second by batch size, beside other books.

    The flow: a walking mid, power-law distances, 15 % IOC, 20 % of the rest amended, 95 % of the
    rest cancelled, thousands of live orders (cluster/tools/bench/flow.py). Figures are medians of
    rounds in which all books take turns, events included, a second of one core's time.
    """
    from cluster.tools.bench.race import SCENARIOS, cached_start_seconds, race

    console = Console(stderr=True, quiet=as_json)
    start_seconds = cached_start_seconds()
    paces: list[Pace] = []
    for scenario in SCENARIOS:
        with console.status(f"{scenario}: all books take turns"):
            paces += race(
                scenario=scenario,
                commands=commands,
                seconds=seconds / len(SCENARIOS),
                seed=seed,
                peers=peers,
            )
    report = summarise(paces, cached_start_seconds=start_seconds, commands=commands, seed=seed)
    if as_json:
        typer.echo(msgspec.json.encode(report).decode())
    else:
        Console().print(_results_table(report), _peers_table(report))
        typer.echo(f"batch of one, worst scenario: {report['batch_of_one_us']} us")
        typer.echo(f"start with a warm cache: {report['cached_start_seconds']} s")


def summarise(
    paces: "list[Pace]", *, cached_start_seconds: float, commands: int, seed: int
) -> dict[str, Any]:
    """Return the report that `--json` prints; a ratio is ours at batches of 256 to theirs."""
    from cluster.tools.bench.race import COMPARED_BATCH_SIZE

    ours = [pace for pace in paces if pace.name == "forkast"]
    compared = {
        pace.scenario: pace.commands_per_second
        for pace in ours
        if pace.batch_size == COMPARED_BATCH_SIZE
    }
    slowest_single = min(pace.commands_per_second for pace in ours if pace.batch_size == 1)
    return {
        "results": [
            {
                "scenario": pace.scenario,
                "batch_size": pace.batch_size,
                "commands_per_second": round(pace.commands_per_second),
                "events_per_second": round(pace.events_per_second),
            }
            for pace in ours
        ],
        "peers": [
            {
                "name": pace.name,
                "scenario": pace.scenario,
                "commands_per_second": round(pace.commands_per_second),
                "ratio": round(compared[pace.scenario] / pace.commands_per_second, 1),
            }
            for pace in paces
            if pace.name != "forkast"
        ],
        "batch_of_one_us": round(1e6 / slowest_single, 2),
        "cached_start_seconds": round(cached_start_seconds, 3),
        "flow": {"commands": commands, "seed": seed, **asdict(DEFAULT_MIX)},
    }


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
