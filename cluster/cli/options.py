"""Options that several commands share."""

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape

from actors.platform.topology import Topology
from cluster.data.state import DataFolder, RunState
from cluster.errors import ClusterError
from cluster.markets import default_topology, load_topology

DATA_DEFAULT = Path(".forkast")

_errors = Console(stderr=True, highlight=False, soft_wrap=True)

DataOption = Annotated[Path, typer.Option("--data", help="Folder of databases, logs and state.")]


def tell(error: Exception) -> None:
    """Print an error as one line."""
    _errors.print(f"[bold red]forkast:[/] {escape(' '.join(str(error).split()))}")


def topology_of(markets_file: str) -> Topology:
    """Return the markets of a file, or the default ones."""
    return load_topology(Path(markets_file)) if markets_file else default_topology()


def running_state(data: Path) -> RunState:
    """Return the state of the platform that runs in a folder. Raises ClusterError."""
    folder = DataFolder(data)
    state = folder.read()
    if state is None or not folder.held():
        raise ClusterError(f"no platform is running in {folder.path}: start one with `forkast up`")
    return state
