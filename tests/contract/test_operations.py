"""What operators and browsers need: health, readiness, metrics, halts, the document, CORS."""

import json
import time
from collections.abc import AsyncIterator
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families

from tests.beds.exchange import BTC, OPERATOR_TOKEN, XRP, Exchange
from tests.beds.waiting import until

_OPERATOR = {"Authorization": f"Bearer {OPERATOR_TOKEN}"}


@pytest.fixture
async def halted(exchange: Exchange) -> AsyncIterator[str]:
    """Halt a market for a test."""
    placed = await exchange.place(tradingPair=XRP)
    answer = await exchange.client.post(f"/markets/{XRP}/halt", headers=_OPERATOR)
    assert (answer.status_code, answer.json()["status"]) == (200, "HALTED")
    yield placed["orderId"]
    answer = await exchange.client.post(f"/markets/{XRP}/resume", headers=_OPERATOR)
    assert (answer.status_code, answer.json()["status"]) == (200, "TRADING")


async def test_the_gateway_is_alive_and_ready(exchange: Exchange) -> None:
    assert (await exchange.client.get("/health")).json() == {"status": "ok"}

    async def ready() -> bool:
        return (await exchange.client.get("/ready")).status_code == 200

    await until(ready, what="everything answers")
    assert (await exchange.client.get("/ready")).json() == {"status": "ready", "reasons": {}}


async def test_readiness_names_what_does_not_answer(exchange: Exchange) -> None:
    exchange.views.silent.add(f"pair:{BTC}")
    try:
        answer = await exchange.client.get("/ready")
    finally:
        exchange.views.silent.clear()
    assert answer.status_code == 503
    assert f"pair:{BTC}" in answer.json()["reasons"]
    assert answer.headers["Retry-After"]


async def test_a_halted_market_takes_cancels_only_on_either_gateway(
    exchange: Exchange, halted: str
) -> None:
    order = {"tradingPair": XRP, "type": "BUY", "price": 100, "quantity": 1, "userId": 1}
    for client in exchange.clients:

        async def refuses(client: Any = client) -> bool:
            answer = await client.post("/orders", json=order)
            return bool(answer.status_code == 409 and answer.json()["code"] == "HALTED")

        await until(refuses, what="the gateway has heard of the halt")
        markets = (await client.get("/markets")).json()
        assert {m["tradingPair"]: m["status"] for m in markets}[XRP] == "HALTED"
    batch = (await exchange.client.post("/orders/batch", json=[order])).json()["results"]
    assert batch[0]["code"] == "HALTED"
    amended = await exchange.client.patch(f"/orders/{halted}", json={"quantity": "0.5"})
    assert (amended.status_code, amended.json()["code"]) == (409, "HALTED")
    assert (await exchange.client.delete(f"/orders/{halted}")).status_code == 200


@pytest.mark.parametrize(
    "headers",
    [{}, {"Authorization": "Bearer wrong"}, {"Authorization": "Basic x"}, {"Authorization": "é"}],
)
async def test_only_operators_halt_a_market(exchange: Exchange, headers: dict[str, str]) -> None:
    for action in ("halt", "resume"):
        encoded = [(name.encode(), value.encode("latin-1")) for name, value in headers.items()]
        answer = await exchange.client.post(f"/markets/{BTC}/{action}", headers=encoded)
        assert (answer.status_code, answer.json()["code"]) == (401, "UNAUTHORIZED")


async def test_operators_cannot_halt_what_does_not_exist(exchange: Exchange) -> None:
    answer = await exchange.client.post("/markets/NO-SUCH/halt", headers=_OPERATOR)
    assert (answer.status_code, answer.json()["code"]) == (404, "UNKNOWN_MARKET")


async def test_every_figure_is_scraped(exchange: Exchange) -> None:
    await exchange.place()
    await exchange.client.get("/orders/not-an-id")
    families: dict[str, Any] = {}

    async def pairs_have_reported() -> bool:
        text = (await exchange.client.get("/metrics")).text
        families.update({f.name: f for f in text_string_to_metric_families(text)})
        return bool(families["forkast_pair_available"].samples)

    await until(pairs_have_reported, what="the router's metrics are there")
    assert families.keys() >= {
        "forkast_http_requests",
        "forkast_http_request_seconds",
        "forkast_orders_accepted",
        "forkast_waiting_requests",
        "forkast_log_pending_commands",
        "forkast_pair_commands_behind",
        "forkast_pair_open_orders",
    }
    accepted = {s.labels["pair"]: s.value for s in families["forkast_orders_accepted"].samples}
    assert accepted[BTC] >= 1
    routes = {sample.labels["route"] for sample in families["forkast_http_requests"].samples}
    assert {"/orders", "/orders/{id}"} <= routes
    assert not any("not-an-id" in route for route in routes)


async def test_the_document_describes_every_route_and_the_page_needs_no_network(
    exchange: Exchange,
) -> None:
    document = (await exchange.client.get("/openapi.json")).json()
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            where = f"{method} {path}"
            assert operation["summary"], where
            assert operation["tags"], where
            assert operation["description"], where
            ok = next(answer for status, answer in operation["responses"].items() if status < "300")
            for content in ok["content"].values():
                assert path == "/metrics" or content["schema"], where
            if method in ("post", "patch") and "halt" not in path and "resume" not in path:
                assert operation["requestBody"]["content"]["application/json"]["schema"], where
            names = [parameter["name"] for parameter in operation.get("parameters", [])]
            assert len(names) == len(set(names)), where
    text = json.dumps(document)
    for name in {part.split('"')[0] for part in text.split("#/components/schemas/")[1:]}:
        assert name in document["components"]["schemas"]
    page = (await exchange.client.get("/docs")).text
    assert "https://" not in page
    for asset in (part.split('"')[0] for part in page.split('src="')[1:]):
        assert (await exchange.client.get(asset)).status_code == 200


async def test_patch_is_documented_with_its_path_and_query_parameters(exchange: Exchange) -> None:
    document = (await exchange.client.get("/openapi.json")).json()
    parameters = document["paths"]["/orders/{id}"]["patch"]["parameters"]
    assert {parameter["name"] for parameter in parameters} == {"id", "userId"}


async def test_the_front_page_says_where_to_go(exchange: Exchange) -> None:
    page = await exchange.client.get("/")
    assert page.status_code == 200
    assert page.headers["content-type"].startswith("text/html")


@pytest.mark.parametrize(
    ("origin", "allowed"),
    [
        ("http://localhost:5173", True),
        ("http://127.0.0.1:8080", True),
        ("http://[::1]:3000", True),
        ("https://localhost", True),
        ("https://example.com", False),
        ("http://localhost.example.com", False),
    ],
)
async def test_pages_of_loopback_origins_alone_may_call(
    exchange: Exchange, origin: str, allowed: bool
) -> None:
    asked = {"Origin": origin, "Access-Control-Request-Method": "DELETE"}
    preflight = await exchange.client.options("/orders/5", headers=asked)
    order = {"tradingPair": BTC, "type": "BUY", "price": 1, "quantity": 1, "userId": 1}
    placed = await exchange.client.post("/orders", json=order, headers={"Origin": origin})
    if allowed:
        assert (preflight.status_code, placed.status_code) == (200, 201)
    for answer in (preflight, placed):
        expected = origin if allowed else None
        assert answer.headers.get("access-control-allow-origin") == expected
        if not allowed:
            assert (answer.status_code, answer.json()["code"]) == (403, "FORBIDDEN_ORIGIN")


async def test_head_and_options_are_answered_by_a_server_as_get_would_be(
    exchange: Exchange,
) -> None:
    await exchange.place()
    for path in (f"/market/{BTC}/orderbook", "/orders?limit=1000", "/markets", "/orders/none"):
        for encoding in ("identity", "gzip"):
            asked = {"Accept-Encoding": encoding}
            get = await exchange.client.get(path, headers=asked)
            head = await exchange.client.head(path, headers=asked)
            assert (head.status_code, head.content) == (get.status_code, b""), path
            assert head.headers.keys() == get.headers.keys(), path
    # Streamed, so it has no length.
    streamed = await exchange.client.head("/static-offline-docs/swagger-ui-bundle.js")
    assert (streamed.status_code, streamed.headers["content-encoding"]) == (200, "gzip")
    options = await exchange.client.options("/orders")
    assert (options.status_code, options.content) == (204, b"")
    assert options.headers["allow"] == "DELETE, GET, HEAD, OPTIONS, POST"


async def test_waiting_ends_when_its_time_is_over(exchange: Exchange) -> None:
    start_s = time.monotonic()
    placed = await exchange.place(wait_ms=1)
    assert "orderId" in placed
    assert time.monotonic() - start_s < 5


async def test_the_hash_of_a_book_is_told_to_operators_alone(exchange: Exchange) -> None:
    path = f"/markets/{XRP}/fingerprint"
    assert (await exchange.client.get(path)).status_code == 401
    wrong = {"Authorization": "Bearer not-the-operators"}
    assert (await exchange.client.get(path, headers=wrong)).status_code == 401
    placed = await exchange.place(tradingPair=XRP)
    told = (await exchange.client.get(path, headers=_OPERATOR)).json()
    kept = await exchange.views.fingerprint(XRP)
    assert told == {
        "tradingPair": XRP,
        "nextOffset": kept.next_offset,
        "sequence": placed["order"]["sequence"],
        "openOrders": kept.open_orders,
        "stateHash": str(kept.state_hash),
    }
