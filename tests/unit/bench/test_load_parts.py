"""What the soak and the overload are made of: their clients, their ways and their arithmetic."""

import asyncio
import subprocess
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from shutil import which
from typing import Any

import msgspec
import numpy as np
import pytest

from cluster.errors import ClusterError
from cluster.tools.bench.load.channel import parsed
from cluster.tools.bench.load.clients import OrderClients, Tally
from cluster.tools.bench.load.flatness import MEGABYTE, growths, is_as_fast, middle
from cluster.tools.bench.load.locust import FLOW, flow_of, percentiles
from cluster.tools.bench.load.overload import Overload, outcome
from cluster.tools.bench.load.soak import Minute, summary
from cluster.tools.bench.load.witness import Ways
from cluster.tools.bench.pipeline.http_client import BenchRequestError

MS = {"p50": 10.0, "p95": 20.0, "p99": 30.0}
REFUSED = b'{"statusCode":503,"code":"MARKET_BUSY"}'


def answer(status: int, body: bytes, *, more: str = "") -> bytes:
    head = f"HTTP/1.1 {status} Told\r\nContent-Length: {len(body)}\r\n{more}\r\n"
    return head.encode() + body


def accepted(order_id: int) -> bytes:
    return answer(201, b'{"message":"Order accepted","orderId":"%d"}' % order_id)


@asynccontextmanager
async def gateway(answers: Callable[[int], bytes | None]) -> AsyncIterator[str]:
    """Serve: the n-th request is answered with what `answers` says; None cuts the connection."""
    requests = 0

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal requests
        while await reader.read(65_536):
            requests += 1
            said = answers(requests)
            if said is None:
                break
            writer.write(said)
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"


def test_an_answer_is_taken_once_it_is_whole() -> None:
    whole = answer(503, REFUSED, more="Retry-After: 1\r\n")
    assert parsed(whole[:20]) is None
    assert parsed(whole[:-1]) is None
    told = parsed(whole)
    assert told is not None
    assert (told.status, told.retry_after, told.body) == (503, True, REFUSED)
    without = parsed(answer(503, REFUSED))
    assert without is not None
    assert not without.retry_after


def test_an_answer_without_a_length_is_an_error() -> None:
    with pytest.raises(BenchRequestError, match="no length"):
        parsed(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n")


async def test_orders_are_sent_when_they_are_due_and_every_answer_is_counted() -> None:
    said = [answer(503, REFUSED, more="Retry-After: 1\r\n"), answer(503, REFUSED),
            answer(502, b"{}"), None]  # fmt: skip

    def answers(number: int) -> bytes | None:
        return said[number - 1] if number <= len(said) else accepted(number)

    async with gateway(answers) as url, OrderClients(url, [b"{}"], connections=64) as clients:
        tally = await clients.hold(orders_per_second=200.0, seconds=0.2)
    assert (tally.due, tally.unsent) == (40, 0)
    assert len(tally.sent_us) == len(tally.accepted_us) == 36
    assert (dict(tally.refused), tally.silent_refusals) == ({"MARKET_BUSY": 2}, 1)
    assert dict(tally.failed) == {502: 1, 0: 1}


async def test_an_order_without_a_free_connection_is_not_sent_and_counted() -> None:
    release = asyncio.Event()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(65_536)
        await release.wait()
        writer.write(accepted(1))
        await reader.read()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    async with server, OrderClients(url, [b"{}"], connections=1) as clients:
        asyncio.get_running_loop().call_later(1.0, release.set)
        tally = await clients.hold(orders_per_second=1_000.0, seconds=0.05)
    assert tally.due == 50
    assert tally.unsent == 49
    assert list(tally.sent_us) == [1]


async def test_clients_without_pause_send_the_next_order_with_the_answer_to_the_last() -> None:
    async with gateway(accepted) as url, OrderClients(url, [b"{}"], connections=3) as clients:
        tally = await clients.saturate(clients=2, seconds=0.1)
    assert tally.due == len(tally.sent_us) > 2


async def test_a_platform_that_takes_no_connection_is_named() -> None:
    with pytest.raises(ClusterError, match="takes no connection"):
        async with OrderClients("http://127.0.0.1:1", [b"{}"], connections=1):
            pass


def test_a_way_ends_with_the_first_event_and_other_orders_are_passed_over() -> None:
    ways = Ways()
    ways.sent({1: 100, 2: 200})
    ways.heard({1: 150, 9: 400})
    assert ways.took_us().tolist() == [50]
    ways.heard({1: 990, 2: 260})
    assert ways.took_us().tolist() == [60]
    assert ways.unheard == 0


def test_the_slope_is_that_after_the_first_minutes() -> None:
    samples = [
        {"hub": round((100 + min(minute, 5) * 20 + 0.5 * max(minute - 5, 0)) * MEGABYTE),
         "Ray's GCS": (50 + 40 * minute) * MEGABYTE}
        for minute in range(9)
    ]  # fmt: skip
    gcs, hub = growths(samples, minutes=list(range(9)), settle_minutes=5)
    assert (gcs.kind, gcs.mb_per_minute, gcs.flat) == ("Ray's GCS", 40.0, False)
    assert (hub.kind, hub.mb_per_minute, hub.flat) == ("hub", 0.5, True)
    assert (hub.begin_mb, hub.end_mb) == (100.0, 201.5)


def test_a_short_load_has_no_slope_and_a_new_process_held_nothing_before() -> None:
    (one,) = growths([{}, {"hub": MEGABYTE}], minutes=[0, 1], settle_minutes=5)
    assert (one.begin_mb, one.end_mb, one.mb_per_minute, one.flat) == (0.0, 1.0, None, None)


def minute(number: int, *, p99: float, megabytes: int = 100, orders: int = 24_000) -> Minute:
    held = {"total": megabytes * MEGABYTE}
    event_ms = MS | {"p99": p99} if number else {}
    return Minute(minute=number, memory_bytes=held, event_ms=event_ms, orders=orders)


def test_a_soak_is_steady_where_its_last_third_is_as_fast_as_its_first() -> None:
    steady = summary([minute(n, p99=30.0) for n in range(9)], orders_per_second=400)
    assert (steady.memory_flat, steady.p99_steady) == (True, True)
    slower = summary(
        [minute(n, p99=30.0 * n, megabytes=100 + 2 * n) for n in range(9)], orders_per_second=400
    )
    assert (slower.memory_flat, slower.p99_steady) == (False, False)
    short = summary([minute(n, p99=30.0) for n in range(3)], orders_per_second=400)
    assert (short.memory_flat, short.p99_steady) == (None, None)


def test_a_platform_that_takes_no_orders_any_more_is_not_steady() -> None:
    held = [minute(n, p99=30.0, orders=24_000 if n < 6 else 0) for n in range(9)]
    assert summary(held, orders_per_second=400).p99_steady is False


def test_as_fast_as_before_leaves_room_for_chance_alone() -> None:
    assert is_as_fast(MS, {"p50": 24.0, "p99": 54.0}, factor=1.5, slack_ms=10)
    assert not is_as_fast(MS, {"p50": 10.0, "p99": 56.0}, factor=1.5, slack_ms=10)
    assert middle([{"p99": 1.0}, {"p99": 9.0}, {"p99": 2.0}]) == {"p99": 2.0}


def _outcome(tally: Tally, took_ms: float, **changed: Any) -> Overload:
    options: dict[str, Any] = {
        "factor": 2.0, "orders_per_second": 200.0, "seconds": 1.0, "unheard": 0,
        "behind_s": 0.1, "before_ms": MS, "after_ms": MS, "lost_after": 0,
    }  # fmt: skip
    took_us = np.full(100, took_ms * 1_000, np.int64)
    return outcome(tally, took_us, **(options | changed))


def test_an_overload_is_as_it_should_be_where_the_accepted_are_fast_and_the_rest_is_told() -> None:
    tally = Tally(due=210, unsent=10, sent_us=dict.fromkeys(range(100), 0))
    tally.refused["MARKET_BUSY"] = 100
    good = _outcome(tally, 300.0)
    assert (good.ok, good.refused_share, good.accepted_per_second) == (True, 0.5, 100.0)
    assert not _outcome(tally, 501.0).ok
    assert not _outcome(tally, 300.0, unheard=1).ok
    assert not _outcome(tally, 300.0, lost_after=1).ok
    assert not _outcome(tally, 300.0, after_ms=MS | {"p99": 300.0}).ok
    tally.silent_refusals = 1
    assert not _outcome(tally, 300.0).ok


def test_locusts_figures_are_those_of_its_orders() -> None:
    entry = {
        "name": "/orders", "method": "POST", "num_requests": 100, "num_failures": 3,
        "start_time": 10.0, "last_request_timestamp": 20.0,
        "response_times": {"5": 50, "9": 45, "120": 5},
    }  # fmt: skip
    stats = msgspec.json.encode([entry, entry | {"name": "/markets", "method": "GET"}]).decode()
    flow = flow_of(stats, users=10)
    assert (flow.orders, flow.failures, flow.orders_per_second) == (100, 3, 10.0)
    assert flow.answer_ms == {"p50": 5.0, "p95": 9.0, "p99": 120.0}
    assert percentiles({}) == {"p50": 0.0, "p95": 0.0, "p99": 0.0}
    with pytest.raises(ClusterError, match="no order"):
        flow_of("[]", users=10)


def test_the_flow_for_k6_is_javascript(tmp_path: Path) -> None:
    node = which("node")
    if node is None:
        pytest.skip("no node")
    module = tmp_path / "orders.mjs"
    module.write_text(FLOW.with_name("orders.js").read_text())
    subprocess.run([node, "--check", module], check=True, timeout=30)


def test_the_flow_for_locust_is_where_the_command_looks_for_it() -> None:
    compile(FLOW.read_text(), FLOW, "exec")
