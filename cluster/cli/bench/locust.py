"""`forkast bench locust`: the reference platform's flow, driven by Locust."""

from typing import Annotated

import typer
from rich.console import Console

from cluster.cli.bench.given import AsJson, Data, given_platform, print_json
from cluster.tools.bench.load.locust import run_flow


def locust(
    users: Annotated[int, typer.Option(min=1, help="Locust's users.")] = 10,
    seconds: Annotated[float, typer.Option(min=1, help="How long they trade.")] = 30.0,
    data: Data = None,
    as_json: AsJson = False,
) -> None:
    """Let Locust's users trade: ten of them, pauses of 50 to 70 ms, random market and side.

    Needs the dependency group `load`; the flow is tests/load/locustfile.py.
    """
    with given_platform(data) as state:
        found = run_flow(state.url, users=users, seconds=seconds)
    if as_json:
        print_json(found)
        return
    answer = found.answer_ms
    Console(highlight=False).print(
        f"{found.users} users: {found.orders:,} orders in {found.seconds:g} s, "
        f"{found.orders_per_second:,.1f}/s, {found.failures:,} failed; answered after "
        f"{answer['p50']:g} / {answer['p95']:g} / {answer['p99']:g} ms (p50 / p95 / p99)"
    )
