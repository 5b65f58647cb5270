"""`forkast test`: format, lint, types, import contracts, the page and all tests; what CI runs."""

import subprocess
import sys
import time
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from cluster import page

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
    failed = [step for step in _STEPS if not _passes(step)]
    if not _page_passes():
        failed.append(("page",))
    if not _passes(tests := ("pytest", *(arguments or ()))):
        failed.append(tests)
    _console.print(f"{time.monotonic() - began:.0f} s in all")
    if failed:
        _console.print(f"[bold red]failed:[/] {', '.join(' '.join(step) for step in failed)}")
        raise typer.Exit(1)


def _page_passes() -> bool:
    _console.rule("page: types, style, logic, build", align="left")
    began = time.monotonic()
    try:
        page.install_packages(_console.print)
        page.npm("run", "check", quiet=False)
        page.ready_page(_console.print)
    except page.PageError as error:
        _console.print(f"{error}\nfailed after {time.monotonic() - began:.1f} s", markup=False)
        return False
    _console.print(f"ok after {time.monotonic() - began:.1f} s")
    return True


def _passes(step: tuple[str, ...]) -> bool:
    _console.rule(" ".join(step), align="left")
    began = time.monotonic()
    code = subprocess.run([str(_BIN / step[0]), *step[1:]], cwd=_ROOT, check=False).returncode
    _console.print(f"{'ok' if code == 0 else 'failed'} after {time.monotonic() - began:.1f} s")
    return code == 0
