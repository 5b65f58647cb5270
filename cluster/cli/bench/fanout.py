"""`forkast bench fanout`: how many messages one hub process delivers, and how late."""

from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from cluster.cli.bench.given import AsJson, print_json
from cluster.errors import ClusterError
from cluster.markets import default_topology
from cluster.tools.bench.fanout.measure import FanOut, measure_fanout


def fanout(
    sockets: Annotated[
        list[int] | None, typer.Option(min=1, help="How many clients; may be repeated.")
    ] = None,
    messages: Annotated[
        float, typer.Option(min=1, help="Messages a second, all clients together.")
    ] = 30_000.0,
    seconds: Annotated[float, typer.Option(min=1, help="How long each round is held.")] = 10.0,
    pairs: Annotated[int, typer.Option(min=1, help="How many rooms the clients share.")] = 10,
    clients: Annotated[
        int, typer.Option(min=1, max=2, help="How many processes hold the sockets.")
    ] = 1,
    seed: Annotated[int, typer.Option(help="Of the orders drawn.")] = 1,
    as_json: AsJson = False,
) -> None:
    """Measure one hub process: orders and trades of a realistic flow to many WebSockets.

    The hub reads a log in memory and is asked directly, without a proxy; its clients count frames
    and do nothing else. A lag is from the event to the client's read, measured at each read for
    the oldest order in it.
    """
    known = len(default_topology())
    if pairs > known:
        raise ClusterError(f"there are {known} default markets, not {pairs}")
    results = []
    with Console(stderr=True, quiet=as_json).status("") as status:
        for count in sockets or [500, 2_000]:
            status.update(f"{count:,} sockets")
            results.append(
                measure_fanout(
                    sockets=count,
                    pairs=pairs,
                    messages_per_second=messages,
                    seconds=seconds,
                    seed=seed,
                    clients=clients,
                )
            )
    if as_json:
        print_json(results)
    else:
        Console().print(_table(results))


def _table(results: list[FanOut]) -> Table:
    table = Table(
        "sockets", "messages/s", "lag ms", "hub cores", "us/message", "clients' cores", "cut",
        caption="lag: p50 / p99 / longest of all",
    )  # fmt: skip
    for one in results:
        table.add_row(
            f"{one.sockets:,}",
            f"{one.messages_per_second:,}",
            " / ".join(f"{one.lag_ms[name]:,.1f}" for name in ("p50", "p99", "max")),
            f"{one.hub_cores:.2f}",
            f"{one.hub_us_per_message:.1f}",
            f"{one.clients_cores:.2f}",
            str(one.cut_clients),
        )
    return table
