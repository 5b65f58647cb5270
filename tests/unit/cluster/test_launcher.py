"""The launcher needs nothing but sh and Python, and says so when it has not got them."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from cluster.platform.haproxy import on_loopback
from cluster.platform.proxy_environment import proxy_environment
from cluster.tools.platforms import REPOSITORY

_TOOLS = ("sh", "dirname", "cksum", "cat", "env")


def _bare_path(folder: Path, *more: str) -> str:
    folder.mkdir()
    for tool in (*_TOOLS, *more):
        found = shutil.which(tool)
        assert found
        (folder / tool).symlink_to(found)
    return str(folder)


def _launch(root: Path, path: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["sh", str(root / "forkast"), "status"],
        env={"PATH": path, "HOME": str(root)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """The launcher and what it reads, without a virtual environment."""
    root = tmp_path / "clone"
    (root / "actors" / "book" / "kernel").mkdir(parents=True)
    for name in ("forkast", "uv.lock", "pyproject.toml"):
        shutil.copy(REPOSITORY / name, root / name)
    for folder in ("actors/book", "actors/book/kernel"):
        shutil.copy(REPOSITORY / folder / "__init__.py", root / folder / "__init__.py")
    return root


@pytest.mark.parametrize("script", ["forkast", ".ci/run"])
def test_the_scripts_can_be_parsed_and_run(script: str) -> None:
    shell = "sh" if script == "forkast" else "bash"
    assert subprocess.run([shell, "-n", str(REPOSITORY / script)], check=False).returncode == 0
    assert os.access(REPOSITORY / script, os.X_OK)


def test_ci_runs_the_test_command_and_nothing_else() -> None:
    lines = (REPOSITORY / ".ci" / "run").read_text().splitlines()
    assert [line for line in lines if not line.startswith("#")] == [
        'cd "$(dirname "$0")/.." && exec ./forkast test'
    ]


def test_a_machine_without_python_is_told_what_is_missing(clone: Path, tmp_path: Path) -> None:
    told = _launch(clone, _bare_path(tmp_path / "bin"))
    assert told.returncode == 1
    assert "Python 3.11, 3.12 or 3.13 is needed" in told.stderr


def test_a_python_without_venv_is_told_what_is_missing(clone: Path, tmp_path: Path) -> None:
    path = Path(_bare_path(tmp_path / "bin"))
    python = path / "python3"
    python.write_text("#!/bin/sh\ncase $2 in *ensurepip*) exit 1;; *) exit 0;; esac\n")
    python.chmod(0o755)
    told = _launch(clone, str(path))
    assert told.returncode == 1
    assert "comes without venv and pip" in told.stderr
    assert "python3-venv" in told.stderr


def test_haproxy_listens_on_loopback_alone() -> None:
    written = (
        "frontend prometheus\n    bind :9101\n"
        "frontend http_frontend\n    bind 127.0.0.1:3001\n"
        "listen stats\n  bind *:8404\n"
    )
    assert on_loopback(written) == (
        "frontend prometheus\n    bind 127.0.0.1:9101\n"
        "frontend http_frontend\n    bind 127.0.0.1:3001\n"
        "listen stats\n  bind 127.0.0.1:8404\n"
    )


def test_proxies_of_two_platforms_share_no_port_and_no_file(tmp_path: Path) -> None:
    # Serve would share one port among platforms, and answer for another's orders.
    one, other = proxy_environment(tmp_path / "one"), proxy_environment(tmp_path / "other")
    assert any(name.endswith("_PORT") for name in one)
    assert not set(one.values()) & set(other.values())
