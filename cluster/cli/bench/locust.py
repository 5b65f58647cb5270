"""`forkast bench locust`: the reference platform's flow, driven by Locust."""

import contextlib
import sys
from pathlib import Path
from typing import Annotated

import msgspec
import typer
from rich.console import Console

from cluster.data.state import running_state
from cluster.tools.bench.load.locust import run_flow
from cluster.tools.platforms import own_platform

_console = Console(stderr=True, highlight=False)


def locust(
    users: Annotated[int, typer.Option(min=1, help="Locust's users.")] = 10,
    seconds: Annotated[float, typer.Option(min=1, help="How long they trade.")] = 30.0,
    data: Annotated[
        Path | None, typer.Option(help="A running platform's folder; without it one is started.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON only.")] = False,
) -> None:
    """Let Locust's users trade: ten of them, pauses of 50 to 70 ms, random market and side.

    Needs the dependency group `load`; the flow is tests/load/locustfile.py.
    """
    with contextlib.ExitStack() as stack:
        if data is None:
            _console.print("starting a platform")
            data = stack.enter_context(own_platform())
        found = run_flow(running_state(data).url, users=users, seconds=seconds)
    if as_json:
        sys.stdout.write(msgspec.json.encode(found).decode() + "\n")
        return
    answer = found.answer_ms
    Console(highlight=False).print(
        f"{found.users} users: {found.orders:,} orders in {found.seconds:g} s, "
        f"{found.orders_per_second:,.1f}/s, {found.failures:,} failed; answered after "
        f"{answer['p50']:g} / {answer['p95']:g} / {answer['p99']:g} ms (p50 / p95 / p99)"
    )
