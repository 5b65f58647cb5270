"""Delay of TCP ports between machines: connections live through it, and only their time changes."""

import json
import subprocess
import sys

import pytest

from cluster.tools.namespaces import Network
from cluster.tools.platforms import REPOSITORY


@pytest.mark.skipif(
    not Network.possible(), reason="machines of their own take root, and the programs ip and tc"
)
def test_delayed_ports_answer_late_over_connections_old_and_new() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tests.beds.delayed_machine"],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert told["begun"]
    assert not told["twice"]
    assert min(told["during_s"], told["anew_s"], told["large_s"]) >= 0.9
    assert told["again_s"] >= 0.4
    assert max(told["before_s"], told["other_s"], told["after_s"]) < 0.9
