"""`forkast down`, `status`, `logs`, `halt` and `resume`: what one does with a running platform."""

import asyncio
import os
import signal
import sys
import time
from pathlib import Path
from typing import Annotated, Any

import httpx
import msgspec
import typer
from redis.asyncio import Redis
from rich.console import Console

from cluster.cli.options import DATA_DEFAULT, DataOption
from cluster.cli.table import markets_table
from cluster.data.state import DataFolder, RunState, running_state
from cluster.errors import ClusterError
from cluster.markets import topology_of
from cluster.platform import processes
from cluster.platform import status as platform_status

_DOWN_S = 90.0
_TITLE_BYTES = 512
_LAST_LINES = 40

_console = Console(highlight=False)


def down(data: DataOption = DATA_DEFAULT) -> None:
    """Stop the platform and everything that it started."""
    folder = DataFolder(data)
    state = running_state(data)
    os.kill(state.process_id, signal.SIGTERM)
    deadline = time.monotonic() + _DOWN_S
    while folder.held():
        if time.monotonic() > deadline:
            raise ClusterError(f"process {state.process_id} has not stopped after {_DOWN_S:g} s")
        time.sleep(0.1)
    _console.print("Stopped.")


def status(
    data: DataOption = DATA_DEFAULT,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON only.")] = False,
) -> None:
    """Show how the platform is, how long it took to start and what memory it takes."""
    state = running_state(data)
    report = asyncio.run(_report(state))
    if as_json:
        sys.stdout.write(msgspec.json.encode(report).decode() + "\n")
        return
    memory = report["memory_bytes"]
    _console.print(f"{state.url}  {'ready' if report['ready'] else '[red]not ready[/]'}")
    _console.print(
        f"up for {report['uptime_s']:,.0f} s; ready {_seconds(report['ready_s'])} after the start, "
        f"first order accepted {_seconds(report['first_order_s'])} after it"
    )
    _console.print(
        f"memory (PSS of {report['processes']} processes): {_megabytes(memory['total'])}, of which "
        + ", ".join(f"{kind} {_megabytes(size)}" for kind, size in list(memory.items())[1:])
    )
    _console.print(markets_table(report["markets"]))


def logs(
    name: Annotated[
        str, typer.Argument(help="Part of a log's name, an actor or a pair; all names without it.")
    ] = "",
    data: DataOption = DATA_DEFAULT,
    follow: Annotated[bool, typer.Option("-f", "--follow", help="Go on as it grows.")] = False,
) -> None:
    """Show the end of logs: of the servers, of Ray, Serve and the actors."""
    folder = DataFolder(data)
    found = sorted(
        path
        for path in _files(folder.logs)
        if path.stat().st_size and name.lower() in _title(path, folder.logs).lower()
    )
    if not found:
        raise ClusterError(f"no log under {folder.logs} is of {name!r}")
    if not name:
        for path in found:
            _console.print(f"{path.stat().st_size:>12,}  {path.relative_to(folder.logs)}")
        return
    ends = {path: _print_end(path, heading=len(found) > 1) for path in found}
    while follow:
        time.sleep(0.3)
        for path, end in ends.items():
            with path.open("rb") as file:
                file.seek(end)
                sys.stdout.write(file.read().decode(errors="replace"))
                ends[path] = file.tell()
        sys.stdout.flush()


def halt(pair: str, data: DataOption = DATA_DEFAULT) -> None:
    """Halt a market: only cancels are taken."""
    _operate(pair, "halt", data)


def resume(pair: str, data: DataOption = DATA_DEFAULT) -> None:
    """Let a halted market trade again."""
    _operate(pair, "resume", data)


def _operate(pair: str, action: str, data: Path) -> None:
    state = running_state(data)
    response = httpx.post(
        f"{state.url}/markets/{pair}/{action}",
        headers={"Authorization": f"Bearer {state.operator_token}"},
        timeout=15,
        trust_env=False,
    )
    if response.is_error:
        raise ClusterError(f"could not {action} {pair}: {response.text}")
    _console.print(response.text)


async def _report(state: RunState) -> dict[str, Any]:
    async with (
        Redis.from_url(state.redis_url) as redis,
        httpx.AsyncClient(timeout=5, trust_env=False) as client,
    ):
        rows = await platform_status.market_rows(redis, topology_of(state.markets_file))
        try:
            ready = (await client.get(f"{state.url}/ready")).status_code == httpx.codes.OK
        except httpx.HTTPError:
            ready = False
    family = processes.family(state.process_id)
    return {
        "url": state.url,
        "ready": ready,
        "process_id": state.process_id,
        "uptime_s": round(time.time() - state.started_us / 1e6, 1),
        "ready_s": state.ready_s,
        "first_order_s": await platform_status.first_order_s(state),
        "phases_s": state.phases,
        "processes": len(family),
        "memory_bytes": platform_status.memory(state),
        "markets": rows,
    }


def _files(folder: Path) -> list[Path]:
    return [
        Path(place, name)
        for place, _, names in os.walk(folder, followlinks=True)
        for name in names
        if name.endswith((".log", ".out", ".err"))
    ]


def _title(path: Path, folder: Path) -> str:
    """Return a log's name, and its first lines, in which Ray's workers say what they are."""
    with path.open("rb") as file:
        return f"{path.relative_to(folder)} {file.read(_TITLE_BYTES).decode(errors='replace')}"


def _print_end(path: Path, *, heading: bool) -> int:
    if heading:
        _console.print(f"==> {path.name} <==", style="bold")
    content = path.read_bytes()
    lines = content.decode(errors="replace").splitlines()[-_LAST_LINES:]
    sys.stdout.write("".join(f"{line}\n" for line in lines))
    return len(content)


def _seconds(value: float | None) -> str:
    return "-" if value is None else f"{value:.1f} s"


def _megabytes(size: int) -> str:
    return f"{size / 1e6:,.0f} MB"
