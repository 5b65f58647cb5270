"""The campaign itself, at a small size, and what it draws."""

import json
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from cluster.tools.chaos import sockets
from cluster.tools.chaos.plan import PROCESSES, STREAMS, Plan, Target
from cluster.tools.namespaces import Network
from cluster.tools.platforms import forkast


def test_a_plan_is_the_same_from_the_same_seed_and_comes_to_everything() -> None:
    targets = (*PROCESSES, *STREAMS, Target.LEADER, Target.DISK, Target.NODE, Target.LINK)
    plan = Plan(seed=5, targets=targets, faults_max=3)
    rounds = [plan.round(number) for number in range(200)]
    assert rounds == [replace(plan).round(number) for number in range(200)]
    assert rounds != [replace(plan, seed=6).round(number) for number in range(200)]
    assert {fault.target for faults in rounds for fault in faults} == set(targets)
    assert {len(faults) for faults in rounds} == {1, 2, 3}


def test_a_campaign_on_three_brokers_loses_and_doubles_nothing(tmp_path: Path) -> None:
    done = forkast(
        *("chaos", "--seed", 11, "--rounds", 3, "--faults", 4, "--brokers", 3, "--json"),
        *("--evidence", tmp_path),
        timeout_s=400,
    )
    _assert_held(done, rounds=3)


@pytest.mark.skipif(not sockets.possible(), reason="other processes' sockets take root")
def test_a_campaign_on_streams_that_break_loses_and_doubles_nothing(tmp_path: Path) -> None:
    only: list[str] = [word for target in STREAMS for word in ("--only", target)]
    done = forkast(
        *("chaos", "--seed", 2, "--rounds", 6, "--faults", 3, "--json"),
        *only,
        *("--evidence", tmp_path),
        timeout_s=400,
    )
    _assert_held(done, rounds=6)


@pytest.mark.cluster
@pytest.mark.skipif(
    not Network.possible(), reason="machines of their own take root, and the programs ip and tc"
)
def test_a_campaign_on_nodes_that_lose_power_and_links_loses_and_doubles_nothing(
    tmp_path: Path,
) -> None:
    done = forkast(
        *("chaos", "--seed", 3, "--rounds", 3, "--faults", 2, "--nodes", 2, "--json"),
        *("--only", Target.NODE, "--only", Target.LINK, "--evidence", tmp_path),
        timeout_s=400,
    )
    _assert_held(done, rounds=3)


def _assert_held(done: subprocess.CompletedProcess[str], *, rounds: int) -> None:
    assert done.returncode == 0, done.stderr
    summary = json.loads(done.stdout)
    assert summary["rounds"] == rounds
    assert summary["faults"] == sum(summary["by_kind"].values()) >= rounds
    assert summary["recovery_ms"].keys() == summary["by_kind"].keys()
    assert summary["accepted"] > 0
    assert not any(summary[name] for name in ("lost", "doubled", "disagreed", "checks_failed"))
