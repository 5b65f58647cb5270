"""Chromium for this machine: found, or else installed by whatever there is to install it with.

`forkast test` alone installs it; whoever else needs a browser says what to install.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib.util import find_spec

from cluster.errors import ClusterError

Report = Callable[[str], None]
Command = tuple[str, ...]

# Chromium in a container: without its sandbox, which needs more rights, and with little shared
# memory.
LAUNCH_ARGUMENTS = ("--no-sandbox", "--disable-dev-shm-usage")

_NAMES = ("chromium", "chromium-browser", "google-chrome")
_VERSION_S = 180.0
# A slow mirror takes minutes; a package manager that waits for another's lock may wait for ever.
_INSTALL_S = 900.0
_TOLD_CHARACTERS = 200


@dataclass(frozen=True, kw_only=True)
class _Manager:
    """How a system installs packages, and what it calls Chromium, a font, and a library.

    The library is the one that Playwright's driver needs and small systems come without.
    """

    program: str
    refresh: Command = ()
    install: Command
    packages: Command

    @property
    def command(self) -> Command:
        return (self.program, *self.install, *self.packages)


_MANAGERS = (
    _Manager(
        program="apt-get",
        refresh=("apt-get", "update", "-qq"),
        install=("install", "-y", "-qq", "--no-install-recommends"),
        packages=("chromium", "fonts-dejavu-core", "libatomic1"),
    ),
    _Manager(
        program="dnf",
        install=("install", "-y", "--quiet"),
        packages=("chromium", "dejavu-sans-fonts", "libatomic"),
    ),
    _Manager(
        program="apk", install=("add", "--quiet"), packages=("chromium", "font-dejavu", "libatomic")
    ),
    _Manager(
        program="pacman",
        install=("-S", "--noconfirm", "--needed"),
        packages=("chromium", "ttf-dejavu", "gcc-libs"),
    ),
    _Manager(
        program="zypper",
        install=("--non-interactive", "--quiet", "install"),
        packages=("chromium", "dejavu-fonts", "libatomic1"),
    ),
)


def need_playwright() -> None:
    """Raise ClusterError where Playwright, which only development needs, is not installed."""
    if find_spec("playwright") is None:
        raise ClusterError(
            "this needs Playwright, which `uv sync --group dev` installs, and Chromium"
        )


def own_chromium() -> str | None:
    """Return the path of the machine's own Chromium, where there is one that can be run.

    Ubuntu has a program of that name which only says where to get the real one.
    """
    for name in _NAMES:
        path = shutil.which(name)
        if path is not None and _succeeds((path, "--version"), within_s=_VERSION_S):
            return path
    return None


def need_browser() -> None:
    """Raise ClusterError where no Chromium can be run; it says in one line what to install."""
    need_playwright()
    if not _is_ready():
        raise ClusterError(f"{_what_to_install()}; `forkast test tests/browser` tries to")


def ready_browser(report: Report, *, as_root: bool | None = None) -> None:
    """Install Chromium where there is none: the system's, else Playwright's with what it needs.

    Only root (who runs this, unless told) can install the system's. Raises ClusterError, which
    says in one line what to install.
    """
    need_playwright()
    if _is_ready():
        return
    root = os.geteuid() == 0 if as_root is None else as_root
    manager = _manager()
    if root and manager is not None:
        done = all(_install(command, report) for command in (manager.refresh, manager.command))
        if done and _is_ready():
            return
    for command in _fetches(root):
        if _install(command, report) and _is_ready():
            return
    raise ClusterError(_what_to_install())


def _manager() -> _Manager | None:
    return next((each for each in _MANAGERS if shutil.which(each.program)), None)


def _what_to_install() -> str:
    manager = _manager()
    how = "install Chromium, as a program named chromium on the path, and libatomic"
    if manager is not None:
        how = f"as root, {manager.program} installs {', '.join(manager.packages)}"
    return f"the page cannot be driven in a browser here: {how}"


def _fetches(root: bool) -> Iterator[Command]:
    """Yield the ways to Playwright's own; what that needs it knows for Debian and Ubuntu."""
    fetch = (sys.executable, "-m", "playwright", "install")
    if root:
        yield (*fetch, "--with-deps", "chromium")
    yield (*fetch, "chromium")


def _is_ready() -> bool:
    driver = (sys.executable, "-m", "playwright", "--version")
    if not _succeeds(driver, within_s=_VERSION_S):
        return False
    return own_chromium() is not None or _playwrights_starts()


def _playwrights_starts() -> bool:
    """Say whether Playwright's own Chromium is here and finds all libraries that it needs."""
    from playwright.sync_api import Error, sync_playwright

    with sync_playwright() as playwright:
        try:
            playwright.chromium.launch(args=LAUNCH_ARGUMENTS).close()
        except Error:
            return False
    return True


def _install(command: Command, report: Report) -> bool:
    """Run what installs something, if it is anything; a failure is told in a line."""
    if not command:
        return True
    report(f"Installing Chromium: {' '.join(command)}")
    try:
        done = subprocess.run(
            command,
            env={**os.environ, "DEBIAN_FRONTEND": "noninteractive"},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            timeout=_INSTALL_S,
            check=False,
        )
    except subprocess.TimeoutExpired:
        report(f"{command[0]} was ended after {_INSTALL_S:g} s")
        return False
    if done.returncode:
        lines = [" ".join(line.split()) for line in done.stdout.splitlines() if line.strip()]
        wrong = [line for line in lines if line.startswith("E:") or "error" in line.lower()]
        told = next(iter(wrong or lines[-1:]), f"it ended with {done.returncode}")
        report(f"{command[0]} failed: {told[:_TOLD_CHARACTERS]}")
    return done.returncode == 0


def _succeeds(command: Command, *, within_s: float) -> bool:
    try:
        done = subprocess.run(command, capture_output=True, timeout=within_s, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return False
    return done.returncode == 0
