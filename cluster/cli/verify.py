"""`forkast verify`: every promise that the data can break, checked against the logs."""

import asyncio
import sys
from pathlib import Path
from typing import Annotated

import msgspec
import typer
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from actors.platform.errors import ForkastError
from cluster.cli.options import DATA_DEFAULT, DataOption, tell
from cluster.settings import load_settings
from cluster.verify import Report
from cluster.verify import verify as verify_platform
from cluster.verify.subject import subject_in

_DIFFERENT, _CANNOT_CHECK = 1, 2

_console = Console(highlight=False)
_errors = Console(stderr=True, highlight=False)


def verify(
    data: DataOption = DATA_DEFAULT,
    markets: Annotated[
        str, typer.Option(help="TOML file of markets, where the platform is stopped.")
    ] = "",
    reach: Annotated[
        float, typer.Option(help="Seconds that followers of the log have to reach its end.")
    ] = 60.0,
    from_snapshot: Annotated[
        bool,
        typer.Option("--from-snapshot", help="Begin at the oldest kept snapshot of each pair."),
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON only.")] = False,
) -> None:
    """Fold every log anew and compare topics, tables, caches and live books with it.

    Ends with 1 where anything differs, with 2 where it could not be checked.
    """
    try:
        report = asyncio.run(
            _verify(data, markets, reach, from_snapshot=from_snapshot, quiet=as_json)
        )
    except ForkastError as error:
        tell(error)
        raise typer.Exit(_CANNOT_CHECK) from error
    if as_json:
        sys.stdout.write(msgspec.json.encode(report).decode() + "\n")
    else:
        _print(report)
    if not report.ok:
        raise typer.Exit(_DIFFERENT)


async def _verify(
    data: Path, markets: str, reach_timeout_s: float, *, from_snapshot: bool, quiet: bool
) -> Report:
    async with subject_in(data, markets, load_settings()) as subject:
        with Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("records"),
            TimeRemainingColumn(),
            console=_errors,
            transient=True,
            disable=quiet or not _errors.is_terminal,
        ) as bar:
            tasks = {m.pair: bar.add_task(m.pair, total=None) for m in subject.platform.topology}
            return await verify_platform(
                subject.platform,
                books=subject.books,
                from_snapshot=from_snapshot,
                reach_timeout_s=reach_timeout_s,
                progress=lambda pair, done, total: bar.update(
                    tasks[pair], completed=done, total=total
                ),
            )


def _print(report: Report) -> None:
    table = Table(box=None, pad_edge=False)
    table.add_column("check")
    table.add_column("checked", justify="right")
    table.add_column("differences", justify="right")
    table.add_column("first difference", overflow="fold")
    for check in report.checks:
        wrong = check.differences > 0
        table.add_row(
            check.name,
            f"{check.checked:,}",
            f"[bold red]{check.differences:,}[/]" if wrong else "[green]0[/]",
            escape(check.first or ""),
        )
    _console.print(table)
    for name, why in report.skipped.items():
        _console.print(f"{name}: not checked, {why}")
    _console.print(
        f"{report.commands:,} commands and {report.events:,} events of {report.markets} markets "
        f"in {report.seconds:,.1f} s: "
        + ("[green]all agree[/]" if report.ok else "[bold red]not all agree[/]")
    )
