"""What `forkast test` does on machines that have no Chromium, with programs that play theirs."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from cluster.cli.check import drives_a_browser
from cluster.errors import ClusterError
from cluster.tools import browser_setup
from cluster.tools.browser_setup import need_browser, own_chromium, ready_browser
from cluster.tools.platforms import REPOSITORY

_CALLS = "calls"
_RUNS = "echo Chromium 1.0"
_ONLY_TELLS = "echo Install it elsewhere >&2; exit 1"


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that is the whole path of a machine, from which no download succeeds."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder))
    monkeypatch.setenv("PLAYWRIGHT_BROWSERS_PATH", str(tmp_path / "browsers"))
    # Nothing listens there.
    monkeypatch.setenv("PLAYWRIGHT_DOWNLOAD_HOST", "http://127.0.0.1:9")
    return folder


def _program(folder: Path, name: str, script: str) -> None:
    path = folder / name
    path.write_text(f'#!/bin/sh\necho "{name} $*" >> {folder / _CALLS}\n{script}\n')
    path.chmod(0o755)


def _that_installs(folder: Path, program: str) -> str:
    """Return a script that puts a Chromium on the path, as a package manager would."""
    chromium = folder / program
    chmod = shutil.which("chmod", path=os.defpath)
    return f"printf '#!/bin/sh\\n{_RUNS}\\n' > {chromium}; {chmod} +x {chromium}"


def _calls(folder: Path) -> list[str]:
    path = folder / _CALLS
    return path.read_text().splitlines() if path.exists() else []


def _forkast(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "cluster.cli", *arguments],
        cwd=REPOSITORY,
        env=os.environ | {"COLUMNS": "200", "PYTHONPATH": str(REPOSITORY)},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


@pytest.mark.parametrize("name", ["chromium", "chromium-browser", "google-chrome"])
def test_a_chromium_that_runs_is_taken_and_nothing_is_installed(machine: Path, name: str) -> None:
    _program(machine, name, _RUNS)
    _program(machine, "apt-get", _that_installs(machine, "chromium"))
    told: list[str] = []
    ready_browser(told.append, as_root=True)
    assert own_chromium() == str(machine / name)
    assert _calls(machine) == [f"{name} --version"] * 2
    assert told == []


@pytest.mark.parametrize(
    ("manager", "calls"),
    [
        (
            "apt-get",
            [
                "apt-get update -qq",
                "apt-get install -y -qq --no-install-recommends "
                "chromium fonts-dejavu-core libatomic1",
            ],
        ),
        ("dnf", ["dnf install -y --quiet chromium dejavu-sans-fonts libatomic"]),
        ("apk", ["apk add --quiet chromium font-dejavu libatomic"]),
        ("pacman", ["pacman -S --noconfirm --needed chromium ttf-dejavu gcc-libs"]),
        ("zypper", ["zypper --non-interactive --quiet install chromium dejavu-fonts libatomic1"]),
    ],
)
def test_root_installs_the_systems_chromium(machine: Path, manager: str, calls: list[str]) -> None:
    _program(machine, manager, _that_installs(machine, "chromium"))
    told: list[str] = []
    ready_browser(told.append, as_root=True)
    assert _calls(machine) == calls
    assert told == [f"Installing Chromium: {call}" for call in calls]
    assert own_chromium() == str(machine / "chromium")


def test_a_chromium_that_cannot_be_run_is_none(machine: Path) -> None:
    _program(machine, "chromium-browser", _ONLY_TELLS)
    assert own_chromium() is None
    _program(machine, "apt-get", _that_installs(machine, "chromium"))
    ready_browser(lambda _: None, as_root=True)
    assert own_chromium() == str(machine / "chromium")


def test_a_system_without_a_chromium_of_its_own_is_asked_for_playwrights(machine: Path) -> None:
    _program(machine, "apt-get", "echo E: Package chromium has no candidate; exit 100")
    told: list[str] = []
    with pytest.raises(ClusterError) as refused:
        ready_browser(told.append, as_root=True)
    fetched = [line for line in told if "playwright install" in line]
    assert [line.partition("playwright ")[2] for line in fetched] == [
        "install --with-deps chromium",
        "install chromium",
    ]
    assert "apt-get failed: E: Package chromium has no candidate" in told
    assert "as root, apt-get installs chromium, fonts-dejavu-core, libatomic1" in str(refused.value)
    assert "\n" not in str(refused.value)


def test_who_is_not_root_asks_no_package_manager(machine: Path) -> None:
    _program(machine, "dnf", _that_installs(machine, "chromium"))
    told: list[str] = []
    with pytest.raises(ClusterError, match="as root, dnf installs chromium"):
        ready_browser(told.append, as_root=False)
    assert _calls(machine) == []
    assert [line.partition("playwright ")[2] for line in told if "Installing" in line] == [
        "install chromium"
    ]


def test_what_only_needs_a_browser_installs_nothing_and_says_what_to_install(
    machine: Path,
) -> None:
    _program(machine, "apt-get", _that_installs(machine, "chromium"))
    with pytest.raises(ClusterError, match="as root, apt-get installs chromium") as refused:
        need_browser()
    assert "\n" not in str(refused.value)
    assert _calls(machine) == []
    _program(machine, "chromium", _RUNS)
    need_browser()


@pytest.mark.parametrize("command", [["bench", "web"], ["screenshots"]])
def test_measuring_and_taking_pictures_install_nothing(machine: Path, command: list[str]) -> None:
    _program(machine, "apt-get", _that_installs(machine, "chromium"))
    done = _forkast(*command)
    assert done.returncode == 1
    assert "apt-get installs chromium" in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert _calls(machine) == []


def test_a_package_manager_that_does_not_end_is_ended(
    machine: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(browser_setup, "_INSTALL_S", 0.1)
    sleep = shutil.which("sleep", path=os.defpath)
    _program(machine, "dnf", f"exec {sleep} 600")
    told: list[str] = []
    with pytest.raises(ClusterError, match="as root, dnf installs chromium"):
        ready_browser(told.append, as_root=True)
    assert "dnf was ended after 0.1 s" in told


def test_without_any_way_the_test_command_says_so_and_starts_no_test(machine: Path) -> None:
    done = _forkast("test", "tests/browser")
    assert done.returncode == 1
    assert "install Chromium, as a program named chromium on the path" in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert "pytest" not in done.stdout
    assert _calls(machine) == []


@pytest.mark.parametrize(
    ("arguments", "drives"),
    [
        ([], True),
        (["tests"], True),
        (["."], True),
        (["-x", "tests/browser"], True),
        (["-x", "-k", "codec"], False),
        (["-m", "cluster"], False),
        (["--ignore=tests/browser"], False),
        (["tests", "--ignore=tests/browser"], False),
        (["tests/unit", "tests/browser/test_trading.py::test_an_order"], True),
        (["-m", "cluster", "tests/integration/nodes"], False),
        (["tests/unit", "-q"], False),
    ],
)
def test_a_browser_is_asked_for_only_by_tests_that_drive_one(
    arguments: list[str], drives: bool
) -> None:
    assert drives_a_browser(arguments) is drives
