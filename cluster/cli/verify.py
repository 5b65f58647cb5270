"""`forkast verify`: every promise that the data can break, checked against the logs."""

import asyncio
import contextlib
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import asyncpg
import msgspec
import typer
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from actors.platform.config import Servers
from actors.platform.errors import ForkastError
from cluster.cli.options import DATA_DEFAULT, DataOption, tell, topology_of
from cluster.data.state import DataFolder
from cluster.embedded.servers import EmbeddedServers
from cluster.errors import CannotVerifyError
from cluster.plan import Platform
from cluster.settings import Settings, load_settings
from cluster.verify import HttpBooks, Report, verify

_DIFFERENT, _CANNOT_CHECK = 1, 2

_console = Console(highlight=False)
_errors = Console(stderr=True, highlight=False)


def verify_command(
    data: DataOption = DATA_DEFAULT,
    markets: Annotated[
        str, typer.Option(help="TOML file of markets, where the platform is stopped.")
    ] = "",
    reach: Annotated[
        float, typer.Option(help="Seconds that consumers have to come to the log's end.")
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


@dataclass(frozen=True, kw_only=True)
class _Subject:
    platform: Platform
    books: HttpBooks | None


async def _verify(
    data: Path, markets: str, reach_timeout_s: float, *, from_snapshot: bool, quiet: bool
) -> Report:
    settings = load_settings()
    async with _subject(settings, data, markets) as subject:
        await _check_markets(subject.platform)
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
            return await verify(
                subject.platform,
                books=subject.books,
                from_snapshot=from_snapshot,
                reach_timeout_s=reach_timeout_s,
                progress=lambda pair, done, total: bar.update(
                    tasks[pair], completed=done, total=total
                ),
            )


@contextlib.asynccontextmanager
async def _subject(settings: Settings, data: Path, markets: str) -> AsyncIterator[_Subject]:
    """Find the platform that runs in a folder, or start the servers of one that is stopped."""
    folder = DataFolder(data)
    state = folder.read()
    if state is not None and folder.held():
        servers = Servers(
            kafka_bootstrap=state.kafka_bootstrap,
            postgres_url=state.postgres_url,
            redis_url=state.redis_url,
        )
        topology = topology_of(state.markets_file)
        yield _Subject(
            platform=settings.platform(servers=servers, topology=topology, data=folder.path),
            books=HttpBooks(url=state.url, operator_token=state.operator_token),
        )
        return
    topology = topology_of(markets or (state.markets_file if state is not None else ""))
    if not folder.path.exists():
        raise CannotVerifyError(f"there is no data in {folder.path}: give its folder with --data")
    folder.hold()
    embedded = EmbeddedServers(
        folder.path,
        postgres_url=settings.postgres_url,
        redis_url=settings.redis_url,
        kafka_bootstrap=settings.kafka_bootstrap,
    )
    try:
        servers = await embedded.start()
        yield _Subject(
            platform=settings.platform(servers=servers, topology=topology, data=folder.path),
            books=None,
        )
    finally:
        await embedded.stop()
        folder.release()


async def _check_markets(platform: Platform) -> None:
    """See that the data's markets are those that are verified. Raises CannotVerifyError."""
    try:
        connection = await asyncpg.connect(platform.servers.postgres_url, timeout=10)
        try:
            rows = await connection.fetch("SELECT market_id, pair FROM markets ORDER BY market_id")
        finally:
            await connection.close(timeout=5)
    except (OSError, TimeoutError, asyncpg.PostgresError) as error:
        raise CannotVerifyError(f"the markets could not be read: {error}") from error
    known = {(market.market_id, market.pair) for market in platform.topology}
    for row in rows:
        if (row["market_id"], row["pair"]) not in known:
            raise CannotVerifyError(
                f"the data hold market {row['market_id']}, {row['pair']}, "
                "which the markets file does not: give it with --markets"
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
