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
    # Tests wait more than they work: the other steps run beside them.
    beside = [(step, _start(step, stdout=subprocess.PIPE)) for step in _STEPS]
    tests = ("pytest", *(arguments or ()))
    failed: list[tuple[str, ...]] = [] if _page_passes() else [("page",)]
    if not _passes(tests, _start(tests)):
        failed.append(tests)
    failed += [step for step, process in beside if not _passes(step, process)]
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


def _start(step: tuple[str, ...], *, stdout: int | None = None) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [str(_BIN / step[0]), *step[1:]], cwd=_ROOT, stdout=stdout, stderr=subprocess.STDOUT
    )


def _passes(step: tuple[str, ...], process: subprocess.Popen[bytes]) -> bool:
    """Wait for a step, print what it has kept back, and say whether it ended well."""
    _console.rule(" ".join(step), align="left")
    began = time.monotonic()
    told, _ = process.communicate()
    if told:
        sys.stdout.buffer.write(told)
        sys.stdout.buffer.flush()
    ended = "ok" if process.returncode == 0 else "failed"
    _console.print(f"{ended} after {time.monotonic() - began:.1f} s")
    return process.returncode == 0
