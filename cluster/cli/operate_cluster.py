"""`forkast nodes` and `rebalance`: what one does with the nodes of a running platform."""

import asyncio
import sys
from pathlib import Path
from typing import Annotated

import msgspec
import typer
from rich.console import Console
from rich.table import Table

from cluster.cli.options import DATA_DEFAULT, DataOption
from cluster.data.state import RunState, running_state
from cluster.errors import ClusterError
from cluster.markets import topology_of
from cluster.platform.environment import prepare

_console = Console(highlight=False)


def nodes(
    data: DataOption = DATA_DEFAULT,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON only.")] = False,
) -> None:
    """Show the nodes of the cluster and the pairs that live on each."""
    state = _state_of_cluster(data)
    from cluster.platform.nodes import read_nodes
    from cluster.platform.runtime import connect, disconnect

    connect(state.ray_address)
    try:
        found = read_nodes(topology_of(state.markets_file))
    finally:
        disconnect()
    if as_json:
        sys.stdout.write(msgspec.json.encode(found).decode() + "\n")
        return
    table = Table("node", "address", "state", "CPUs", "pairs", box=None)
    for node in found:
        table.add_row(
            node.node_id[:8],
            f"{node.address}:{node.port}",
            "alive" if node.alive else "dead",
            f"{node.cpus:g}",
            ", ".join(node.pairs),
        )
    _console.print(table)


def rebalance(
    data: DataOption = DATA_DEFAULT,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON only.")] = False,
) -> None:
    """Spread the pairs evenly over the nodes there are now, without stopping any for long."""
    state = _state_of_cluster(data)
    from cluster.platform.rebalance import rebalance as move_pairs

    moves = asyncio.run(move_pairs(state, topology_of(state.markets_file)))
    if as_json:
        sys.stdout.write(msgspec.json.encode(moves).decode() + "\n")
        return
    if not moves:
        _console.print("The pairs are spread evenly already.")
        return
    table = Table("pairs", "from", "to", "prepared ms", "stopped ms", box=None)
    for move in moves:
        table.add_row(
            ", ".join(move.pairs),
            move.source[:8],
            move.target[:8],
            f"{move.prepared_ms:,.0f}",
            f"{move.stopped_ms:,.0f}",
        )
    _console.print(table)


def _state_of_cluster(data: Path) -> RunState:
    state = running_state(data)
    if not state.ray_address:
        raise ClusterError(f"{state.url} runs on one node, which it started itself")
    # Before Ray is imported, which reads its environment then.
    prepare(own_ray=False)
    return state
