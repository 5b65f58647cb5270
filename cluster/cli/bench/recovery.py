"""`forkast bench recovery`: how soon a pair's actor is back, from its snapshot and its log."""

import logging
from typing import Annotated

import structlog
import typer

from cluster.cli.bench.given import AsJson, print_json
from cluster.tools.bench.recovery import measure_recovery


def recovery(
    open_orders: Annotated[int, typer.Option(min=1, help="Orders in the snapshot.")] = 100_000,
    commands: Annotated[int, typer.Option(min=1, help="Commands since it.")] = 1_000_000,
    seed: Annotated[int, typer.Option(help="Seed of the flow.")] = 1,
    as_json: AsJson = False,
) -> None:
    """Measure an actor's return: a snapshot of resting orders, and the log since.

    The snapshot is read from disk and the log handed over in ranges as the router does; reading
    the log from Kafka is not part of the figure. The code is compiled before, as on a running node.
    """
    # No line for each start of an actor.
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
    recovered = measure_recovery(open_orders=open_orders, commands=commands, seed=seed)
    if as_json:
        print_json(recovered)
        return
    typer.echo(
        f"{recovered.open_orders:,} open orders, {recovered.commands_since_snapshot:,} commands: "
        f"back in {recovered.seconds} s (snapshot {recovered.snapshot_seconds} s, "
        f"log {recovered.replay_seconds} s)"
    )
