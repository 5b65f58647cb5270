"""`forkast demo` on a running platform: every market lives, and only until it is stopped."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from typing import TypeVar

import httpx
import pytest

from cluster.tools.platforms import REPOSITORY, RunningPlatform

PAIRS = ("BTC", "ETH", "SOL", "BNB", "XRP", "ADA", "DOGE", "AVAX", "MATIC", "DOT")
DEADLINE_S = 90.0
T = TypeVar("T")


@pytest.fixture
def http(running_platform: RunningPlatform) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=running_platform.url, timeout=30) as client:
        yield client


def test_the_demo_fills_every_market_and_takes_its_orders_with_it(
    running_platform: RunningPlatform, http: httpx.Client
) -> None:
    mine = {"tradingPair": "DOT-USD", "type": "BUY", "price": "0.01", "quantity": 1, "userId": 1}
    order_id = http.post("/orders", json=mine).raise_for_status().json()["orderId"]
    demo = subprocess.Popen(
        [sys.executable, "-m", "cluster.cli", "demo", "--data", str(running_platform.data)],
        cwd=REPOSITORY,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        users = _eventually(lambda: _everywhere(http), demo)
        assert len(users) == 1
        _eventually(lambda: sum(_trades(http, pair) > 0 for pair in PAIRS) >= len(PAIRS), demo)
        os.kill(demo.pid, signal.SIGTERM)
        said, _ = demo.communicate(timeout=30)
        # It says where a busy platform kept it waiting, and no more.
        assert demo.returncode == 0, said
        assert all("demo_interrupted" in line for line in said.splitlines())
    finally:
        demo.kill()
    user_id = users.pop()
    _eventually(lambda: not any(user_id in set.union(*_sides(http, pair)) for pair in PAIRS))
    assert http.get(f"/orders/{order_id}").json()["status"] == "OPEN"
    http.delete(f"/orders/{order_id}")


def _everywhere(http: httpx.Client) -> set[int]:
    """Return the users that have orders in every market, on both sides of the book."""
    return set.intersection(*(side for pair in PAIRS for side in _sides(http, pair)))


def _sides(http: httpx.Client, pair: str) -> tuple[set[int], set[int]]:
    """Return whose orders are bids and whose are asks."""
    answer = http.get(f"/market/{pair}-USD/orderbook", params={"view": "orders", "depth": 1_000})
    book = answer.raise_for_status().json()
    bidders, askers = ({order["userId"] for order in book[side]} for side in ("bids", "asks"))
    return bidders, askers


def _trades(http: httpx.Client, pair: str) -> int:
    return len(http.get(f"/market/{pair}-USD/trades", params={"limit": 1}).json())


def _eventually(found: Callable[[], T], demo: "subprocess.Popen[str] | None" = None) -> T:
    deadline = time.monotonic() + DEADLINE_S
    while time.monotonic() < deadline:
        if answer := found():
            return answer
        assert demo is None or demo.poll() is None, demo.communicate()[0]
        time.sleep(0.2)
    raise AssertionError("not within the deadline")
