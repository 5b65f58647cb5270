"""`forkast doctor`: look at everything, say what is wrong and what to do."""

import asyncio
import sys
from pathlib import Path
from typing import Annotated

import msgspec
import typer
from rich.console import Console
from rich.table import Table

from actors.platform.config import Servers
from cluster.cli.options import DATA_DEFAULT, DataOption, topology_of
from cluster.data.state import DataFolder, RunState
from cluster.doctor.environment import check_clock, check_machine
from cluster.doctor.findings import Finding
from cluster.doctor.platform import check_nodes, check_platform
from cluster.doctor.servers import check_kafka, check_postgres, check_redis, check_servers
from cluster.platform.environment import prepare
from cluster.settings import Settings, load_settings

_COLOURS = {"ok": "green", "warning": "yellow", "wrong": "bold red"}
_console = Console(highlight=False)


def doctor(
    data: DataOption = DATA_DEFAULT,
    markets: Annotated[str, typer.Option(help="TOML file of markets.")] = "",
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON only.")] = False,
) -> None:
    """Look at machine, servers, nodes and platform; exit with 1 where something is wrong."""
    settings = load_settings()
    folder = DataFolder(data)
    state = folder.read() if folder.held() else None
    findings = check_machine(
        folder.path,
        port=settings.port,
        running=state is not None,
        own_kafka=not settings.kafka_bootstrap,
    )
    findings += _of_running(state) if state else asyncio.run(_of_given(settings, markets))
    if as_json:
        sys.stdout.write(msgspec.json.encode(findings).decode() + "\n")
    else:
        _print(findings, folder.path, running=state is not None)
    if any(finding.state == "wrong" for finding in findings):
        raise typer.Exit(1)


def _of_running(state: RunState) -> list[Finding]:
    topology = topology_of(state.markets_file)
    servers = Servers(
        kafka_bootstrap=state.kafka_bootstrap,
        postgres_url=state.postgres_url,
        redis_url=state.redis_url,
    )
    findings = asyncio.run(check_servers(servers, topology))
    platform = check_platform(state)
    findings += platform
    if all(finding.check != "answers" for finding in platform):
        findings.append(check_clock(state.url))
    if state.ray_address:
        prepare(own_ray=False)
        findings += check_nodes(state, topology)
    return findings


async def _of_given(settings: Settings, markets: str) -> list[Finding]:
    """Look at the servers that URLs name; the others are only there while a platform runs."""
    checks = []
    if settings.postgres_url:
        checks.append(check_postgres(settings.postgres_url))
    if settings.redis_url:
        checks.append(check_redis(settings.redis_url))
    if settings.kafka_bootstrap:
        checks.append(check_kafka(settings.kafka_bootstrap, topology_of(markets)))
    return [finding for findings in await asyncio.gather(*checks) for finding in findings]


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
