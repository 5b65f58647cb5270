"""`forkast replay` and the benches of load against a whole running platform."""

import json
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from cluster.tools.platforms import RunningPlatform, forkast

PAIR = "BTC-USD"
COMMAND_S = 240.0


@pytest.fixture
def empty_market(running_platform: RunningPlatform) -> Iterator[RunningPlatform]:
    """Empty the pair's book before and after the test."""
    _empty(running_platform)
    yield running_platform
    _empty(running_platform)


def test_a_replay_makes_the_exchanges_trades_through_the_whole_platform(
    empty_market: RunningPlatform,
) -> None:
    done = forkast("replay", "--data", empty_market.data, "--json", timeout_s=COMMAND_S)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == {
        "exchange_trades": 284,
        "platform_trades": 284,
        "agreeing": 284,
        "in_order": True,
        "differences": [],
    }


def test_a_replay_into_a_market_with_orders_is_refused_with_a_hint(
    empty_market: RunningPlatform,
) -> None:
    order = {"tradingPair": PAIR, "type": "BUY", "price": 1, "quantity": 1, "userId": 1}
    placed = httpx.post(f"{empty_market.url}/orders?wait=5000", json=order, timeout=30)
    assert placed.json()["order"]["status"] == "OPEN"
    done = forkast("replay", "--data", empty_market.data, timeout_s=COMMAND_S)
    assert done.returncode == 1
    assert "--clear" in done.stderr


def test_the_pipeline_bench_prints_each_shape_with_its_latencies(
    running_platform: RunningPlatform,
) -> None:
    done = forkast(
        "bench", "pipeline", "--seconds", "1", "--data", running_platform.data, "--json",
        timeout_s=COMMAND_S,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    results = json.loads(done.stdout)
    assert [one["mode"] for one in results] == ["packed-log", "packed-rest", "single", "steady-300"]
    for one in results:
        assert one["pairs"] == 10
        assert one["orders_per_second"] > 0
        assert one["rows_per_second"] > 0
        assert 0 < one["trade_event_ms"]["p50"] <= one["trade_event_ms"]["p99"]
        assert 0 < one["committed_ms"]["p50"] <= one["committed_ms"]["p99"]
        assert one["cpu"]["pair actors"] > 0


def test_the_latency_bench_takes_the_way_of_an_order_apart(
    running_platform: RunningPlatform, tmp_path: Path
) -> None:
    picture = tmp_path / "waterfall.svg"
    done = forkast(
        "bench", "latency", "--rate", "50", "--seconds", "2", "--idle-seconds", "1", "--sketch",
        "--svg", picture, "--data", running_platform.data, "--json", timeout_s=COMMAND_S,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    (rate,), (sketch,) = found["rates"], found["sketch"]
    for one in (rate, sketch):
        assert one["orders_per_second"] == 50
        assert (one["orders"], one["unseen"]) == (100, 0)
        assert 0 < one["event_ms"]["p50"] <= one["event_ms"]["p95"] <= one["event_ms"]["p99"]
    stages = [stage["stage"] for stage in rate["stages"]]
    # The shared platform takes no stamps: the log's own times are what is known of it.
    assert stages == [
        "door", "append", "log, router, actor, publish", "hub, client", "writer", "candles",
        "other",
    ]  # fmt: skip
    assert sum(stage["share"] for stage in rate["stages"]) == pytest.approx(1.0, abs=0.01)
    assert sum(stage["cpu_ms"] for stage in rate["stages"]) == pytest.approx(
        rate["cpu_ms_per_order"], abs=0.01
    )
    assert picture.read_text().count("<rect") == len(stages) - 1


def test_the_idle_bench_shows_what_each_process_costs(running_platform: RunningPlatform) -> None:
    done = forkast(
        "bench", "idle", "--seconds", "2", "--data", running_platform.data, "--json",
        timeout_s=COMMAND_S,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    numbers = {one["kind"]: one["processes"] for one in found["processes"]}
    assert numbers["pair actors"] == 10
    assert numbers["gateway"] == 2
    assert found["cores"] == pytest.approx(
        sum(one["cores"] for one in found["processes"]), abs=0.01
    )
    assert found["megabytes"] > 500


@pytest.mark.parametrize("arguments", [("--mode", "sideways"), ("--pairs", "11")])
def test_the_pipeline_bench_refuses_what_it_cannot_measure(
    running_platform: RunningPlatform, arguments: tuple[str, str]
) -> None:
    done = forkast("bench", "pipeline", "--data", running_platform.data, *arguments)
    assert done.returncode == 1
    assert done.stderr.count("\n") <= 2


def _empty(platform: RunningPlatform) -> None:
    """Cancel until nothing rests: what others sent may still be on its way to the book."""
    with httpx.Client(base_url=platform.url, timeout=30) as http:
        deadline = time.monotonic() + COMMAND_S
        while owners := _owners(http):
            assert time.monotonic() < deadline, f"orders of {owners} stay in the book"
            for user_id in owners:
                http.delete("/orders", params={"userId": user_id, "tradingPair": PAIR})


def _owners(http: httpx.Client) -> set[int]:
    book = http.get(f"/market/{PAIR}/orderbook", params={"view": "orders", "depth": 1_000}).json()
    return {order["userId"] for side in ("bids", "asks") for order in book[side]}
