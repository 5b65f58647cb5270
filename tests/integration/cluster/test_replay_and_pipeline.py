"""`forkast replay` and `forkast bench pipeline` against a whole running platform."""

import json
import time
from collections.abc import Iterator

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
