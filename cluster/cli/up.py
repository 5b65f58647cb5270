"""`forkast up`: start the platform, show its markets, stop it on Ctrl-C or SIGTERM."""

import asyncio
import contextlib
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from redis.asyncio import Redis
from redis.exceptions import RedisError
from rich.console import Console
from rich.live import Live

from actors.platform.errors import ForkastError
from actors.platform.logs import configure_logs, lossy
from actors.platform.topology import Topology
from cluster.cli.options import DATA_DEFAULT, DataOption, tell
from cluster.cli.table import markets_table
from cluster.data.state import DataFolder
from cluster.embedded.process import ServerProcess
from cluster.errors import ClusterError
from cluster.markets import topology_of
from cluster.platform.environment import prepare
from cluster.platform.status import market_rows
from cluster.settings import Settings, forget_secrets, load_settings

if TYPE_CHECKING:
    from cluster.platform.up import PlatformRun

_TABLE_EVERY_S = 1.0
_LINE_EVERY_S = 60.0
_SILENT_S = 180.0
_ERROR = "forkast: "
_STOP_DEMO_S = 10.0

# Bound to the stream of the start: what Ray prints goes elsewhere.
_output = sys.stdout
_console = Console(file=lossy(lambda: _output), highlight=False)


def up(
    port: Annotated[
        int | None, typer.Option(help="Where REST and Socket.IO answer [3001].")
    ] = None,
    markets: Annotated[str, typer.Option(help="TOML file of markets.")] = "",
    data: DataOption = DATA_DEFAULT,
    brokers: Annotated[
        int | None, typer.Option(help="Embedded Kafka brokers in a new data folder, 1 or 3 [1].")
    ] = None,
    detach: Annotated[bool, typer.Option("--detach", help="Return when all is ready.")] = False,
    demo: Annotated[
        bool, typer.Option("--demo", help="Let all markets live: see `forkast demo`.")
    ] = False,
    new_epoch: Annotated[
        str, typer.Option(help="Go on with another log, under this name: docs/reliability.md.")
    ] = "",
    web: Annotated[
        bool, typer.Option("--web/--no-web", help="Serve the trading screen at /.")
    ] = True,
) -> None:
    """Start the platform and everything that it needs."""
    settings = load_settings(kafka_brokers=brokers)
    topology = topology_of(markets)
    if detach:
        _detach(data)
        return
    forget_secrets()
    configure_logs(settings.log_format or ("console" if sys.stdout.isatty() else "json"))
    log_path = DataFolder(data).logs / "driver.log"
    log_path.parent.mkdir(parents=True, exist_ok=True)
    with (
        log_path.open("a", buffering=1) as log,
        contextlib.redirect_stdout(lossy(lambda: log)),
    ):
        code = asyncio.run(
            _live(
                settings=settings,
                topology=topology,
                data=data,
                port=port or settings.port,
                markets_file=str(Path(markets).resolve()) if markets else "",
                demo=demo,
                web=web,
                new_epoch=new_epoch,
            )
        )
        _console.file.flush()
        sys.stderr.flush()
        # Not sys.exit: a call into a Ray that was cut off may hold its thread for minutes.
        os._exit(code)


class _Reporter:
    """Print each step with the seconds since the first."""

    def __init__(self) -> None:
        self._began = time.monotonic()

    def __call__(self, step: str) -> None:
        _console.print(f"[dim]{time.monotonic() - self._began:6.1f} s[/]  {step}", soft_wrap=True)


async def _live(
    *,
    settings: Settings,
    topology: Topology,
    data: Path,
    port: int,
    markets_file: str,
    demo: bool,
    web: bool,
    new_epoch: str,
) -> int:
    prepare(own_ray=not settings.ray_address)
    # Imports Ray, which reads its environment then.
    from cluster.platform.up import PlatformRun

    stop = asyncio.Event()
    loop = asyncio.get_running_loop()

    def listen() -> None:
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            loop.add_signal_handler(number, stop.set)

    listen()
    run = PlatformRun(
        settings=settings,
        topology=topology,
        data=data,
        port=port,
        markets_file=markets_file,
        report=_Reporter(),
        web=web,
        new_epoch=new_epoch,
        ray_started=listen,
    )
    try:
        return await _until_stopped(run, stop, demo=demo)
    finally:
        await run.stop()
        _console.print("Stopped.")


async def _until_stopped(run: "PlatformRun", stop: asyncio.Event, *, demo: bool) -> int:
    stopped = asyncio.create_task(stop.wait())
    start = asyncio.create_task(run.start())
    await asyncio.wait({start, stopped}, return_when=asyncio.FIRST_COMPLETED)
    if not start.done():
        start.cancel()
        await asyncio.gather(start, return_exceptions=True)
        return 130
    try:
        start.result()
    except ForkastError as error:
        tell(error)
        return 1
    run.watch()
    _welcome(run)
    player = _start_demo(run) if demo else None
    show = asyncio.create_task(_show(run))
    await asyncio.wait({stopped})
    show.cancel()
    await asyncio.gather(show, return_exceptions=True)
    if player is not None:
        # It cancels its orders, for which the log must still be there.
        await player.stop(timeout_s=_STOP_DEMO_S)
    return 0


def _welcome(run: "PlatformRun") -> None:
    _console.print(f"Ready after {run.state.ready_s:.1f} s.", style="bold green")
    for name, url in (
        *((("page", f"{run.url}/"),) if run.web else ()),
        ("REST", run.url),
        ("Socket.IO", f"{run.url}/socket.io"),
        ("API page", f"{run.url}/docs"),
        ("Postgres", run.state.postgres_url),
        ("Redis", run.state.redis_url),
        ("Kafka", run.state.kafka_bootstrap),
        ("logs", str(run.folder.logs)),
    ):
        _console.print(f"  {name:<10} {url}", soft_wrap=True)
    _console.print("Ctrl-C stops everything.")


async def _show(run: "PlatformRun") -> None:
    async with Redis.from_url(run.state.redis_url) as redis:
        if _console.is_terminal:
            with Live(
                console=_console,
                auto_refresh=False,
                redirect_stdout=False,
                redirect_stderr=False,
            ) as live:
                while True:
                    with contextlib.suppress(RedisError):
                        rows = await market_rows(redis, run.topology)
                        live.update(markets_table(rows), refresh=True)
                    await asyncio.sleep(_TABLE_EVERY_S)
        while True:
            await asyncio.sleep(_LINE_EVERY_S)
            with contextlib.suppress(RedisError):
                rows = await market_rows(redis, run.topology)
                _console.print(
                    f"{sum(row['orders_per_second'] for row in rows):,.0f} orders/s, "
                    f"{sum(row['open_orders'] for row in rows):,} open, "
                    f"{sum(row['commands_behind'] for row in rows):,} behind"
                )


def _start_demo(run: "PlatformRun") -> ServerProcess:
    player = ServerProcess(
        name="demo",
        command=[sys.executable, "-m", "cluster.cli", "demo", "--data", str(run.folder.path)],
        log_path=run.folder.logs / "demo.log",
    )
    player.start()
    return player


def _detach(data: Path) -> None:
    """Run the same command in the background; tell its steps, and return when it is ready.

    Raises ClusterError.
    """
    folder = DataFolder(data)
    if folder.held():
        folder.hold()
    folder.logs.mkdir(parents=True, exist_ok=True)
    log_path = folder.logs / "forkast.log"
    arguments = [argument for argument in sys.argv[1:] if argument != "--detach"]
    with log_path.open("wb") as log:
        child = subprocess.Popen(
            [sys.executable, "-m", "cluster.cli", *arguments],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    told: list[str] = []
    deadline = time.monotonic() + _SILENT_S
    while time.monotonic() < deadline:
        ended = child.poll() is not None
        # Without the line that is being written.
        lines = log_path.read_text().rpartition("\n")[0].splitlines()
        for line in lines[len(told) :]:
            deadline = time.monotonic() + _SILENT_S
            if not line.startswith(_ERROR):
                _console.print(line, markup=False, soft_wrap=True)
        told = lines
        if ended:
            errors = [line for line in told if line.startswith(_ERROR)]
            raise ClusterError(
                errors[-1].removeprefix(_ERROR)
                if errors
                else f"it ended with {child.returncode} and told nothing; see {log_path}"
            )
        state = folder.read()
        if state is not None and state.process_id == child.pid and state.ready_s is not None:
            _console.print(f"Ready after {state.ready_s:.1f} s at {state.url}; stop: forkast down")
            return
        time.sleep(0.1)
    child.terminate()
    raise ClusterError(f"nothing was told for {_SILENT_S:g} s before all was ready; see {log_path}")
