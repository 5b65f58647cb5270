"""`forkast doctor`: look at everything, say what is wrong and what to do."""

import sys
from pathlib import Path
from typing import Annotated

import msgspec
import typer
from rich.console import Console
from rich.table import Table

from cluster.cli.options import DATA_DEFAULT, DataOption
from cluster.data.state import DataFolder
from cluster.doctor.examination import examine
from cluster.doctor.findings import Finding
from cluster.settings import load_settings

_COLOURS = {"ok": "green", "warning": "yellow", "wrong": "bold red"}
_console = Console(highlight=False)


def doctor(
    data: DataOption = DATA_DEFAULT,
    markets: Annotated[str, typer.Option(help="TOML file of markets.")] = "",
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON only.")] = False,
) -> None:
    """Look at machine, servers, nodes and platform; exit with 1 where something is wrong."""
    folder = DataFolder(data)
    state = folder.read() if folder.held() else None
    findings = examine(folder.path, state, load_settings(), markets_file=markets)
    if as_json:
        sys.stdout.write(msgspec.json.encode(findings).decode() + "\n")
    else:
        _print(findings, folder.path, running=state is not None)
    if any(finding.state == "wrong" for finding in findings):
        raise typer.Exit(1)


def _print(findings: list[Finding], data: Path, *, running: bool) -> None:
    table = Table(box=None, show_header=False, pad_edge=False)
    for finding in findings:
        colour = _COLOURS[finding.state]
        table.add_row(f"[{colour}]{finding.state}[/]", finding.area, finding.check, finding.told)
        if finding.remedy:
            table.add_row("", "", "", f"[dim]-> {finding.remedy}[/]")
    _console.print(table)
    if not running:
        _console.print(f"No platform runs in {data}.")
