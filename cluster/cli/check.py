"""`forkast test`: format, lint, types, import contracts and all tests; what CI runs."""

import subprocess
import sys
import time
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

_BIN = Path(sys.executable).parent
_ROOT = Path(__file__).resolve().parents[2]
_STEPS: tuple[tuple[str, ...], ...] = (
    ("ruff", "format", "--check", "."),
    ("ruff", "check", "--no-cache", "."),
    ("mypy",),
    ("lint-imports",),
)

_console = Console(highlight=False)


def check(
    arguments: Annotated[list[str] | None, typer.Argument(help="Handed to pytest.")] = None,
) -> None:
    """Check everything, as CI does."""
    began = time.monotonic()
    failed = [step for step in (*_STEPS, ("pytest", *(arguments or ()))) if not _passes(step)]
    _console.print(f"{time.monotonic() - began:.0f} s in all")
    if failed:
        _console.print(f"[bold red]failed:[/] {', '.join(' '.join(step) for step in failed)}")
        raise typer.Exit(1)


def _passes(step: tuple[str, ...]) -> bool:
    _console.rule(" ".join(step), align="left")
    began = time.monotonic()
    code = subprocess.run([str(_BIN / step[0]), *step[1:]], cwd=_ROOT, check=False).returncode
    _console.print(f"{'ok' if code == 0 else 'failed'} after {time.monotonic() - began:.1f} s")
    return code == 0
