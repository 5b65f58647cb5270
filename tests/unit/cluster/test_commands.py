"""The command line as a whole: what a command costs that needs little."""

import subprocess
import sys

from cluster.tools.platforms import REPOSITORY, forkast

_SAY_WHAT_IS_LOADED = "import sys, cluster.cli; print(*sys.modules)"


def test_a_library_is_loaded_only_for_the_command_that_needs_it() -> None:
    told = subprocess.run(
        [sys.executable, "-c", _SAY_WHAT_IS_LOADED],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    loaded = set(told.stdout.split())
    assert "cluster.cli.up" in loaded
    assert not loaded & {"fastapi", "numba", "playwright", "polars", "ray"}


def test_a_folder_that_the_system_refuses_is_told_in_one_line() -> None:
    told = forkast("up", "--data", "/dev/null/data", timeout_s=60)
    assert told.returncode == 1
    assert told.stderr.startswith("forkast: ")
    assert "Not a directory: '/dev/null/data" in told.stderr
    assert told.stderr.count("\n") == 1
