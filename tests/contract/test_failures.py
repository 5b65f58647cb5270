"""When something behind the gateway is full, late or away: what was promised still holds."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import replace
from typing import Any

import httpx
import psutil
import pytest
import pytest_asyncio

from actors.platform.config import Limits, Servers
from tests.beds.exchange import BTC, Exchange, open_exchange, served
from tests.beds.leases import MarketLeases
from tests.beds.waiting import until

_ORDER = {"tradingPair": BTC, "type": "BUY", "price": 1, "quantity": 1, "userId": 1}


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def exchange(
    servers: Servers, leases: MarketLeases, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Exchange]:
    """An exchange on a Kafka that can be stopped; its depth is not that of the other exchange."""
    own = replace(servers, redis_url=servers.redis_url.removesuffix("/0") + "/1")
    folder = tmp_path_factory.mktemp("failures")
    async with open_exchange(own, folder, market_ids=await leases.ids(3), replicas=2) as running:
        yield running


@asynccontextmanager
async def _gateway(
    exchange: Exchange, *, redis_url: str | None = None, **limits: int
) -> AsyncIterator[httpx.AsyncClient]:
    """One more gateway of the same exchange, with limits or a Redis of its own."""
    servers = exchange.platform.servers
    platform = replace(
        exchange.platform,
        limits=Limits(**limits),
        servers=replace(servers, redis_url=redis_url or servers.redis_url),
    )
    async with served(exchange.local.app(platform.gateway)) as client:
        yield client


@contextmanager
def _broker_stands_still(bootstrap: str) -> Iterator[None]:
    """Stop the broker that listens there, as a long pause of its machine would."""
    port = int(bootstrap.rpartition(":")[2])
    (broker,) = [
        child
        for child in psutil.Process().children(recursive=True)
        if any(
            connection.status == psutil.CONN_LISTEN and connection.laddr.port == port
            for connection in child.net_connections("tcp")
        )
    ]
    os.kill(broker.pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(broker.pid, signal.SIGCONT)


def _unavailable(answer: httpx.Response, code: str) -> None:
    assert (answer.status_code, answer.json()["code"]) == (503, code), answer.text
    assert answer.json()["retryAfter"] == int(answer.headers["Retry-After"]) >= 1
    assert answer.json()["message"].endswith(".")


async def test_a_full_queue_pushes_back_and_nothing_is_kept(exchange: Exchange) -> None:
    async with _gateway(exchange, produce_pending_commands=2) as client:
        refused = await client.post("/orders/batch", json=[_ORDER] * 3)
        results = refused.json()["results"]
        assert {
            (result["statusCode"], result["code"], result["retryAfter"]) for result in results
        } == {(503, "QUEUE_FULL", 1)}
        answers = await asyncio.gather(*(client.post("/orders", json=_ORDER) for _ in range(60)))
        assert {answer.status_code for answer in answers} <= {201, 503}
        for answer in answers:
            if answer.status_code == 503:
                _unavailable(answer, "QUEUE_FULL")
            else:
                path = f"/orders/{answer.json()['orderId']}"
                assert (await client.get(path)).status_code == 200


async def test_a_market_that_lags_behind_its_log_turns_orders_away(exchange: Exchange) -> None:
    async with _gateway(exchange, log_lag_commands=-1) as client:

        async def turned_away() -> bool:
            return (await client.post("/orders", json=_ORDER)).status_code == 503

        await until(turned_away, what="the gateway has heard of the lag")
        _unavailable(await client.post("/orders", json=_ORDER), "MARKET_BEHIND")
        batch = (await client.post("/orders/batch", json=[_ORDER])).json()["results"]
        assert batch[0]["code"] == "MARKET_BEHIND"


async def test_too_many_waiting_requests_are_turned_away(exchange: Exchange) -> None:
    async with _gateway(exchange, waiters=0) as client:
        _unavailable(
            await client.post("/orders", params={"wait": 100}, json=_ORDER), "TOO_MANY_WAITING"
        )
        assert (await client.post("/orders", json=_ORDER)).status_code == 201


async def test_without_redis_orders_are_taken_and_books_shown(exchange: Exchange) -> None:
    async with _gateway(exchange, redis_url="redis://127.0.0.1:1") as client:
        placed = await client.post("/orders", params={"wait": 5_000}, json=_ORDER)
        assert placed.json()["order"]["status"] == "OPEN"
        book = (await client.get(f"/market/{BTC}/orderbook")).json()
        assert book["sequence"] >= placed.json()["order"]["sequence"]
        assert (await client.get(f"/market/{BTC}/ticker")).status_code == 200
        assert "redis" in (await client.get("/ready")).json()["reasons"]
        exchange.views.silent.add(BTC)
        try:
            _unavailable(await client.get(f"/market/{BTC}/orderbook"), "PAIR_UNAVAILABLE")
        finally:
            exchange.views.silent.clear()


async def test_a_gateway_that_came_later_than_an_order_waits_for_its_row(
    exchange: Exchange,
) -> None:
    await exchange.writer.stop()
    try:
        placed = await exchange.place()
        path = f"/orders/{placed['orderId']}"
        async with _gateway(exchange) as late:
            _unavailable(await late.get(path), "NOT_YET_KNOWN")
            exchange.writer.start()

            async def found() -> bool:
                answer = await late.get(path)
                assert answer.status_code in (200, 503)
                return answer.status_code == 200

            await until(found, what="the order is read")
            assert (await late.get(path)).json() == placed["order"]
    finally:
        exchange.writer.start()


async def test_an_order_that_the_log_did_not_confirm_in_time_is_resolved_by_its_id(
    exchange: Exchange,
) -> None:
    async def place(client_order_id: str | None) -> httpx.Response:
        body: dict[str, Any] = _ORDER | {"clientOrderId": client_order_id}
        return await exchange.client.post("/orders", json=body)

    with _broker_stands_still(exchange.platform.servers.kafka_bootstrap):
        answers = await asyncio.gather(place(None), place("kept-through-the-pause"))
    for answer in answers:
        body = answer.json()
        assert (answer.status_code, body["code"]) == (504, "OUTCOME_UNKNOWN")
        assert "not known" in body["message"]
        path = f"/orders/{body['orderId']}"

        async def resolved(path: str = path) -> bool:
            read = await exchange.client.get(path)
            # A broker that has just gone on may still be late: that is said too, but never 404.
            assert read.status_code in (200, 503, 504), read.text
            return read.status_code == 200

        await until(resolved, what="the order is found, for the broker has it after all")
    again = await place("kept-through-the-pause")
    assert (again.status_code, again.json()["orderId"]) == (201, answers[1].json()["orderId"])


@pytest.mark.parametrize("index", [0, 1])
async def test_each_gateway_goes_on_after_the_brokers_pause(exchange: Exchange, index: int) -> None:
    placed = await exchange.clients[index].post("/orders", params={"wait": 10_000}, json=_ORDER)
    assert placed.json()["order"]["status"] == "OPEN"
