"""What benches of a running platform have in common: which one they measure, and how they tell."""

import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import msgspec
import typer
from rich.console import Console

from actors.platform.topology import Topology
from cluster.data.state import RunState, running_state
from cluster.errors import ClusterError
from cluster.markets import topology_of
from cluster.tools.platforms import own_platform

console = Console(stderr=True, highlight=False)

Data = Annotated[
    Path | None, typer.Option(help="A running platform's folder; without it one is started.")
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON only.")]


@contextmanager
def given_platform(
    data: Path | None, *, environment: Mapping[str, str] | None = None
) -> Iterator[RunState]:
    """Give the platform that runs in a folder; without one, start one that ends with the block.

    `environment` is for the one that is started. Raises ClusterError.
    """
    if data is not None:
        yield running_state(data)
        return
    console.print("starting a platform")
    with own_platform(environment=environment) as folder:
        yield running_state(folder)


def markets_of(state: RunState, *, pairs: int) -> Topology:
    """Return a platform's markets. Raises ClusterError where it has fewer than `pairs`."""
    topology = topology_of(state.markets_file)
    if pairs > len(topology):
        raise ClusterError(f"the platform has {len(topology)} markets, not {pairs}")
    return topology


def print_json(found: object) -> None:
    """Print a result as one line of JSON."""
    sys.stdout.write(msgspec.json.encode(found).decode() + "\n")
