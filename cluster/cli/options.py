"""Options that several commands share, and the line that tells an error."""

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape

DATA_DEFAULT = Path(".forkast")

_errors = Console(stderr=True, highlight=False, soft_wrap=True)

DataOption = Annotated[Path, typer.Option("--data", help="Folder of databases, logs and state.")]


def tell(error: Exception) -> None:
    """Print an error as one line."""
    _errors.print(f"[bold red]forkast:[/] {escape(' '.join(str(error).split()))}")
