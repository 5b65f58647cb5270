"""The benches that load a platform, each for a moment, on the one that tests share."""

import importlib.util
from typing import Any

import msgspec
import pytest

from cluster.tools.platforms import RunningPlatform, forkast


def bench(running_platform: RunningPlatform, *arguments: str | float) -> Any:
    done = forkast(
        "bench", *map(str, arguments), "--data", running_platform.data, "--json", timeout_s=180
    )
    assert done.returncode == 0, done.stderr
    return msgspec.json.decode(done.stdout)


def test_a_soak_says_what_each_kind_of_process_holds_and_how_fast_it_is(
    running_platform: RunningPlatform,
) -> None:
    found = bench(running_platform, "soak", "--minutes", 0.1, "--rate", 50)
    before, after = found["minutes"]
    assert (before["minute"], after["minute"]) == (0, 0.1)
    assert {"gateway", "hub", "pair actors", "Ray's GCS", "total"} <= set(after["memory_bytes"])
    assert (after["orders"] + after["refused"], after["failed"]) == (300, 0)
    assert 0 < after["event_ms"]["p50"] <= after["event_ms"]["p99"]
    assert found["memory_flat"] is None


def test_more_than_is_taken_is_refused_with_a_time_to_try_again(
    running_platform: RunningPlatform,
) -> None:
    found = bench(
        running_platform, "overload", "--rate", 100, "--factor", 20, "--seconds", 2,
        "--connections", 600,
    )  # fmt: skip
    (overload,) = found["overloads"]
    assert overload["due"] == 4_000
    assert overload["accepted"] > 0
    assert overload["failures"] == {}
    assert overload["silent_refusals"] == 0
    assert overload["unheard"] == 0


def test_locusts_users_trade(running_platform: RunningPlatform) -> None:
    if importlib.util.find_spec("locust") is None:
        pytest.skip("Locust is in the dependency group `load`")
    found = bench(running_platform, "locust", "--seconds", 3)
    assert (found["users"], found["failures"]) == (10, 0)
    assert found["orders"] > 0
    assert found["answer_ms"]["p50"] > 0
