"""`forkast test`: format, lint, types, import contracts, the page and all tests; what CI runs."""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from functools import partial
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from cluster.platform import page
from cluster.tools.browser_setup import ready_browser

_BIN = Path(sys.executable).parent
_ROOT = Path(__file__).resolve().parents[2]
_STEPS: tuple[tuple[str, ...], ...] = (
    ("ruff", "format", "--check", "."),
    ("ruff", "check", "--no-cache", "."),
    ("mypy",),
    ("lint-imports",),
)
# Tests that only compute; the others mostly wait for servers and leave a core idle.
_COMPUTING = ("tests/unit", "tests/property", "tests/simulation")
_BROWSER = _ROOT / "tests" / "browser"
_IGNORE = "--ignore="

# Linux may share the processor among sessions first (autogroup in sched(7)), and `nice` then says
# nothing to processes of other sessions, as those of a platform are.
_POLITELY = (
    "sh",
    "-c",
    '{ echo 19 > /proc/self/autogroup; } 2> /dev/null; exec nice -n 19 "$@"',
    "politely",
)

_console = Console(highlight=False)


def check(
    arguments: Annotated[list[str] | None, typer.Argument(help="Handed to pytest.")] = None,
) -> None:
    """Check everything, as CI does."""
    began = time.monotonic()
    if drives_a_browser(arguments or []):
        ready_browser(partial(_console.print, markup=False, soft_wrap=True))
    # Tests over servers wait more than they work: the other steps run beside them.
    tests: tuple[str, ...] = ("pytest", *(arguments or ()))
    steps = _STEPS
    if not arguments:
        tests += tuple(f"--ignore={folder}" for folder in _COMPUTING)
        steps += (("pytest", *_COMPUTING),)
    beside = [_Step(step, beside=True) for step in steps]
    try:
        failed: list[tuple[str, ...]] = [] if _page_passes() else [("page",)]
        failed += [step.command for step in (_Step(tests), *beside) if not step.passes()]
    finally:
        for step in beside:
            step.end()
    _console.print(f"{time.monotonic() - began:.0f} s in all")
    if failed:
        _console.print(f"[bold red]failed:[/] {', '.join(' '.join(step) for step in failed)}")
        raise typer.Exit(1)


def drives_a_browser(arguments: list[str]) -> bool:
    """Say whether pytest will be asked for tests that need a browser: for all, or by a path.

    What else may choose them, as `-k` and `-m` do, meets the same error at the first of them.
    """
    if any(_path(each.removeprefix(_IGNORE)) == _BROWSER for each in arguments if _IGNORE in each):
        return False
    paths = [path for path in map(_path, arguments) if path.exists()]
    return not arguments or any(
        path.is_relative_to(_BROWSER) or _BROWSER.is_relative_to(path) for path in paths
    )


def _path(argument: str) -> Path:
    return (_ROOT / argument.partition("::")[0]).resolve()


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


class _Step:
    """A program that checks something; `beside` others it is in nobody's way and keeps quiet."""

    def __init__(self, command: tuple[str, ...], *, beside: bool = False) -> None:
        self.command = command
        # Not a pipe, which a program that says much would fill while nobody reads.
        self._kept = tempfile.TemporaryFile() if beside else None  # noqa: SIM115
        self._process = subprocess.Popen(
            [*(_POLITELY if beside else ()), str(_BIN / command[0]), *command[1:]],
            cwd=_ROOT,
            stdout=self._kept,
            stderr=subprocess.STDOUT,
            start_new_session=beside,
        )

    def passes(self) -> bool:
        """Wait for the end, print what was kept back, and say whether it ended well."""
        _console.rule(" ".join(self.command), align="left")
        began = time.monotonic()
        code = self._process.wait()
        if self._kept is not None:
            with self._kept as kept:
                kept.seek(0)
                shutil.copyfileobj(kept, sys.stdout.buffer)
            sys.stdout.buffer.flush()
        _console.print(f"{'ok' if code == 0 else 'failed'} after {time.monotonic() - began:.1f} s")
        return code == 0

    def end(self) -> None:
        """End what nobody waits for any more, with all that it has started."""
        if self._process.poll() is None:
            os.killpg(self._process.pid, signal.SIGTERM)
