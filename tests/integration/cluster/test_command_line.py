"""`forkast` as a person uses it: what it says, what it starts, what it leaves."""

import contextlib
import json
import os
import shutil
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import psutil
import pytest

from cluster.embedded.process import free_port
from cluster.platform import processes
from cluster.tools import platforms
from cluster.tools.platforms import RunningPlatform, forkast

_ORDER = {
    "tradingPair": "BTC-USD",
    "type": "BUY",
    "price": 50000.00,
    "quantity": 0.1,
    "userId": 1,
}


def _place(url: str, **changes: float) -> str:
    response = httpx.post(f"{url}/orders", json=_ORDER | changes, timeout=10)
    assert response.status_code == 201, response.text
    order_id: str = response.json()["orderId"]
    return order_id


def test_status_tells_start_memory_and_markets(running_platform: RunningPlatform) -> None:
    order_id = _place(running_platform.url)
    assert httpx.get(f"{running_platform.url}/orders/{order_id}", timeout=10).status_code == 200
    told = forkast("status", "--json", "--data", running_platform.data)
    assert told.returncode == 0, told.stderr
    report = json.loads(told.stdout)
    assert report["ready"] is True
    assert report["ready_s"] > 0
    assert report["first_order_s"] > report["ready_s"]
    memory = report["memory_bytes"]
    assert memory["total"] == sum(memory.values()) - memory["total"]
    assert {"Kafka", "Postgres", "Valkey", "gateway", "hub", "router", "writer"} <= memory.keys()
    assert memory["pair actors"] > memory["writer"]
    assert not {"Ray's dashboard", "Ray's monitor", "Ray's log monitor"} & memory.keys()
    assert len(report["markets"]) == 10
    assert all(market["available"] for market in report["markets"])


def test_status_prints_a_table_for_people(running_platform: RunningPlatform) -> None:
    told = forkast("status", "--data", running_platform.data)
    assert told.returncode == 0, told.stderr
    assert "memory (PSS of" in told.stdout
    assert "DOGE-USD" in told.stdout


def test_a_halted_market_takes_no_order_until_resumed(running_platform: RunningPlatform) -> None:
    order = {**_ORDER, "tradingPair": "DOT-USD", "price": 5}
    halted = forkast("halt", "DOT-USD", "--data", running_platform.data)
    assert halted.returncode == 0, halted.stderr
    refused = httpx.post(f"{running_platform.url}/orders?wait=10000", json=order, timeout=20)
    assert "HALTED" in refused.text
    resumed = forkast("resume", "DOT-USD", "--data", running_platform.data)
    assert resumed.returncode == 0, resumed.stderr
    # Another gateway than the one that took the command hears of it a moment later.
    deadline = time.monotonic() + 10
    while not (accepted := httpx.post(f"{running_platform.url}/orders", json=order)).is_success:
        assert accepted.json()["code"] == "HALTED"
        assert time.monotonic() < deadline, accepted.text
    assert accepted.status_code == 201
    assert "HALTED" not in accepted.text


def test_an_unknown_market_cannot_be_halted(running_platform: RunningPlatform) -> None:
    told = forkast("halt", "NO-SUCH", "--data", running_platform.data)
    assert told.returncode == 1
    assert "no such trading pair" in told.stderr.lower()


def test_logs_show_the_end_of_a_servers_log(running_platform: RunningPlatform) -> None:
    told = forkast("logs", "postgres", "--data", running_platform.data)
    assert told.returncode == 0, told.stderr
    assert "ready to accept connections" in told.stdout


@pytest.mark.parametrize("name", ["writer", "candles", "router", "BTC-USD"])
def test_logs_are_found_by_what_wrote_them(running_platform: RunningPlatform, name: str) -> None:
    told = forkast("logs", name, "--data", running_platform.data)
    assert told.returncode == 0, told.stderr
    assert told.stdout.strip()


def test_a_second_platform_in_the_same_folder_is_refused(running_platform: RunningPlatform) -> None:
    told = forkast("up", "--data", running_platform.data, "--port", free_port())
    assert told.returncode == 1
    assert told.stderr.startswith("forkast: ")
    assert f"is in use by process {running_platform.process_id}" in told.stderr
    assert told.stderr.count("\n") == 1
    assert httpx.get(f"{running_platform.url}/ready", timeout=10).status_code == 200


def test_a_port_in_use_is_told_and_nothing_is_started(
    running_platform: RunningPlatform, tmp_path: Path
) -> None:
    port = running_platform.url.rpartition(":")[2]
    told = forkast("up", "--data", tmp_path / "data", "--port", port)
    assert told.returncode == 1
    assert told.stderr == (
        f"forkast: port {port} is in use: give another with --port or FORKAST_PORT\n"
    )
    assert not platforms.left_of(tmp_path)


def test_a_half_written_folder_stops_the_start_and_leaves_nothing(tmp_path: Path) -> None:
    (tmp_path / "data" / "kafka").mkdir(parents=True)
    (tmp_path / "data" / "kafka" / "orders.new-0").mkdir()
    told = forkast("up", "--data", tmp_path / "data", "--port", free_port(), timeout_s=120)
    assert told.returncode == 1
    assert "holds files but no Kafka data" in told.stderr
    assert not platforms.left_of(tmp_path)


def test_an_unreachable_broker_stops_the_start_and_leaves_nothing(tmp_path: Path) -> None:
    told = forkast(
        *("up", "--data", tmp_path / "data", "--port", free_port()),
        timeout_s=120,
        environment={"FORKAST_KAFKA_BOOTSTRAP": "127.0.0.1:1"},
    )
    assert told.returncode == 1
    assert "Kafka at 127.0.0.1:1" in told.stderr
    assert not platforms.left_of(tmp_path)


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (("down",), "no platform is running"),
        (("status",), "no platform is running"),
        (("up", "--markets", "/nowhere.toml"), "markets file /nowhere.toml"),
    ],
)
def test_what_cannot_be_done_is_one_line(
    tmp_path: Path, options: tuple[str, ...], sentence: str
) -> None:
    told = forkast(*options, "--data", tmp_path)
    assert told.returncode == 1
    assert sentence in told.stderr
    assert told.stderr.count("\n") == 1


def test_a_wrong_setting_is_named(tmp_path: Path) -> None:
    told = forkast("up", "--data", tmp_path, environment={"FORKAST_PORT": "many"})
    assert told.returncode == 1
    assert "FORKAST_PORT" in told.stderr


@pytest.mark.ends_platform
def test_an_order_outlives_down_a_kill_and_the_loss_of_the_log(
    running_platform: RunningPlatform,
) -> None:
    data, family = running_platform.data, running_platform.family()
    port = running_platform.url.rpartition(":")[2]
    # Below whatever others have left on the other side.
    order_id = _place(running_platform.url, price=500)
    ended = forkast("down", "--data", data, timeout_s=120)
    assert ended.returncode == 0, ended.stderr
    assert running_platform.process.wait(10) == 0
    _, alive = psutil.wait_procs(family, timeout=10)
    assert not alive
    assert not platforms.left_of(data)

    with _running_again(data, "--port", port) as (url, process_id):
        assert _status(url, order_id) == "OPEN"
        _place(url)
        family = processes.family(process_id)
        servers = processes.family(process_id, naming=str(data))
        os.kill(process_id, signal.SIGKILL)
    _, alive = psutil.wait_procs(servers, timeout=30)
    assert not alive
    assert not platforms.left_of(data)

    shutil.rmtree(data / "kafka")
    refused = forkast("up", "--data", data, "--port", port, timeout_s=120)
    assert refused.returncode == 1
    assert "--new-epoch" in refused.stderr
    assert not platforms.left_of(data)
    with _running_again(data, "--port", port, "--new-epoch", "after-the-loss") as (url, _):
        assert _status(url, order_id) == "OPEN"
        _place(url)
        agreed = forkast("verify", "--data", data, timeout_s=120)
        assert agreed.returncode == 0, agreed.stdout + agreed.stderr
    # Ray's own processes wait a minute for their head.
    _, alive = psutil.wait_procs(family, timeout=90)
    assert not alive


@contextlib.contextmanager
def _running_again(data: Path, *options: str) -> Iterator[tuple[str, int]]:
    """Start a platform where there was one; yield its address and process, and end it."""
    begun = forkast("up", "--data", data, *options, "--detach", timeout_s=240)
    assert begun.returncode == 0, begun.stdout + begun.stderr
    *steps, last = begun.stdout.splitlines()
    assert any("Kafka" in step for step in steps)
    assert last.startswith("Ready after")
    state = json.loads((data / "state.json").read_text())
    try:
        yield state["url"], state["process_id"]
    finally:
        forkast("down", "--data", data, timeout_s=120)


def _status(url: str, order_id: str) -> str:
    kept = httpx.get(f"{url}/orders/{order_id}", timeout=10)
    assert kept.status_code == 200, kept.text
    return str(kept.json()["status"])
