"""`forkast rebalance`: what one does with the nodes of a running platform."""

import asyncio
import sys
from typing import Annotated

import msgspec
import typer
from rich.console import Console
from rich.table import Table

from cluster.cli.options import DATA_DEFAULT, DataOption, running_state, topology_of
from cluster.environment import prepare
from cluster.errors import ClusterError

_console = Console(highlight=False)


def rebalance(
    data: DataOption = DATA_DEFAULT,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON only.")] = False,
) -> None:
    """Spread the pairs evenly over the nodes there are now, without stopping any for long."""
    state = running_state(data)
    if not state.ray_address:
        raise ClusterError(f"{state.url} runs on one node: there is nowhere to move a pair to")
    prepare(own_ray=False)
    # Imports Ray, which reads its environment then.
    from cluster.rebalance import rebalance as move_pairs

    moves = asyncio.run(move_pairs(state, topology_of(state.markets_file)))
    if as_json:
        sys.stdout.write(msgspec.json.encode(moves).decode() + "\n")
        return
    if not moves:
        _console.print("The pairs are spread evenly already.")
        return
    table = Table("pair", "from", "to", "prepared ms", "stopped ms", box=None)
    for move in moves:
        table.add_row(
            move.pair,
            move.source[:8],
            move.target[:8],
            f"{move.prepared_ms:,.0f}",
            f"{move.stopped_ms:,.0f}",
        )
    _console.print(table)
