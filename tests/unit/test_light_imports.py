"""Who only calls an actor does not load what the actor works with."""

import subprocess
import sys

import pytest

_NOT_THERE = """
import importlib, sys
for module in sys.argv[1].split():
    importlib.import_module(module)
print(*(heavy for heavy in sys.argv[2].split() if heavy in sys.modules))
"""


@pytest.mark.parametrize(
    ("modules", "heavy"),
    [
        # Ray imports an actor's class wherever its handle is found: in gateways and routers.
        ("actors.pair.builder", "numba llvmlite"),
        # A pair's own process runs the kernel, and does not compile it.
        ("actors.pair.actor actors.pair.host actors.fold.snapshots", "polars numba"),
        ("analytics.builder", "polars numba"),
        ("actors.writer.builder", "polars numba"),
        ("actors.router.builder", "polars numba"),
        ("cluster.platform.up cluster.platform.supervisor cluster.platform.deploy", "polars numba"),
    ],
)
def test_a_process_that_only_calls_is_light(modules: str, heavy: str) -> None:
    command = [sys.executable, "-c", _NOT_THERE, modules, heavy]
    told = subprocess.run(command, capture_output=True, text=True, check=True)
    assert told.stdout.split() == []
