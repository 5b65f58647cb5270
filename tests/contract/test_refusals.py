"""Whatever a client sends is answered: a 4xx with a code and a sentence, and nothing is logged."""

import asyncio
import json
import logging
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
import structlog

from api.asgi.errors import error_content
from tests.beds.exchange import BTC, Exchange

_ORDER = {"tradingPair": BTC, "type": "BUY", "price": 100, "quantity": 1, "userId": 1}


@pytest.fixture(autouse=True)
def _nothing_is_logged(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    with structlog.testing.capture_logs() as entries, caplog.at_level(logging.WARNING):
        yield
    assert [entry for entry in entries if entry["log_level"] not in ("debug", "info")] == []
    assert [record for record in caplog.records if record.name != "aiokafka"] == []


_JSON = {"content-type": "application/json"}


def _refused(answer: httpx.Response, status: int, code: str | None = None) -> None:
    assert answer.status_code == status, answer.text
    body = answer.json()
    assert body.keys() == {"statusCode", "error", "code", "message"}
    assert body["statusCode"] == status
    assert body["error"] == error_content(status, "", "")["error"]
    assert body["code"].isupper()
    assert len(body["message"].split()) >= 3
    if code is not None:
        assert body["code"] == code


def _with(**changes: Any) -> str:
    return json.dumps(_ORDER | changes)


def _number(field: str, literal: str) -> str:
    return json.dumps(_ORDER | {field: "@"}).replace('"@"', literal)


_BAD_NUMBERS = [
    ("0", 400, "NOT_POSITIVE"),
    ("0.0", 400, "NOT_POSITIVE"),
    ("-1", 400, "NOT_POSITIVE"),
    ('"-0.5"', 400, "NOT_POSITIVE"),
    ("1e308", 400, "ABOVE_MAXIMUM"),
    ('"1e308"', 400, "ABOVE_MAXIMUM"),
    ("1e999999999", 400, "ABOVE_MAXIMUM"),
    ('"1E+999999999999"', 400, None),
    ("99999999999999999999999999", 400, "ABOVE_MAXIMUM"),
    ("0.123456789", 400, "TOO_MANY_DECIMALS"),
    ('"1e-999999999"', 400, "TOO_MANY_DECIMALS"),
    ("NaN", 400, "MALFORMED"),
    ("Infinity", 400, "MALFORMED"),
    ('"NaN"', 400, "MALFORMED"),
    ('"Infinity"', 400, "MALFORMED"),
    ('"-inf"', 400, None),
    ("true", 400, "MALFORMED"),
    ("null", 400, "MALFORMED"),
    ("[]", 400, "MALFORMED"),
    ("{}", 400, "MALFORMED"),
    ('""', 400, "MALFORMED"),
    ('"ten"', 400, "MALFORMED"),
    ('"0_5"', 400, "MALFORMED"),
    ('"1_0"', 400, "MALFORMED"),
    ('" 5"', 400, "MALFORMED"),
    ('"5 "', 400, "MALFORMED"),
    ('"\\u00a05"', 400, "MALFORMED"),
    ('"\\u0665"', 400, "MALFORMED"),
    ('"\\uff15"', 400, "MALFORMED"),
    ('"+5"', 400, "MALFORMED"),
    ('".5"', 400, "MALFORMED"),
    ('"5."', 400, "MALFORMED"),
    ('"05"', 400, "MALFORMED"),
    ('"0x10"', 400, "MALFORMED"),
    ("1.", 400, "MALFORMED"),
    ("01", 400, "MALFORMED"),
    ("9" * 5_000, 400, None),
    ('"' + "9" * 100_000 + '"', 400, None),
]


@pytest.mark.parametrize("field", ["price", "quantity"])
@pytest.mark.parametrize(
    ("literal", "status", "code"), _BAD_NUMBERS, ids=lambda value: str(value)[:24]
)
async def test_a_bad_number_is_refused(
    exchange: Exchange, field: str, literal: str, status: int, code: str | None
) -> None:
    answer = await exchange.client.post("/orders", content=_number(field, literal), headers=_JSON)
    _refused(answer, status, code)


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ("", 400, "MALFORMED"),
        ("{", 400, "MALFORMED"),
        ("null", 400, "MALFORMED"),
        ("[]", 400, "MALFORMED"),
        ('"order"', 400, "MALFORMED"),
        ("{}", 400, "MALFORMED"),
        ("[" * 100_000, 400, "MALFORMED"),
        ('{"a":' * 100_000, 400, "MALFORMED"),
        (b"\xff\xfe\x00", 400, "MALFORMED"),
        (b'{"tradingPair":"\xed\xa0\x80"}', 400, "MALFORMED"),
        (_with(tradingPair="NO-SUCH"), 404, "UNKNOWN_MARKET"),
        (_with(tradingPair="btc-usd"), 404, "UNKNOWN_MARKET"),
        (_with(tradingPair=""), 404, "UNKNOWN_MARKET"),
        (_with(tradingPair=None), 400, "MALFORMED"),
        (_with(tradingPair=7), 400, "MALFORMED"),
        (_with(tradingPair="\u0000"), 404, "UNKNOWN_MARKET"),
        (_with(type="HOLD"), 400, "MALFORMED"),
        (_with(type="buy"), 400, "MALFORMED"),
        (_with(type=1), 400, "MALFORMED"),
        (_with(type="\ud800"), 400, "MALFORMED"),
        (_with(userId=0), 400, "MALFORMED"),
        (_with(userId=-1), 400, "MALFORMED"),
        (_with(userId=1.5), 400, "MALFORMED"),
        (_with(userId=True), 400, "MALFORMED"),
        (_with(userId=None), 400, "MALFORMED"),
        (_with(userId="one"), 400, "MALFORMED"),
        (_with(userId=2**63), 400, "MALFORMED"),
        (_with(userId=10**400), 400, "MALFORMED"),
        (_with(userId="9" * 5_000), 400, "MALFORMED"),
        (_with(userId=2**63 - 1), 404, "UNKNOWN_USER"),
        (_with(userId=999_999_999), 404, "UNKNOWN_USER"),
        (_with(price="100.001"), 400, "OFF_TICK"),
        (_with(quantity="0.00001"), 400, "OFF_LOT"),
        (_with(price="1000000.01"), 400, "ABOVE_MAXIMUM"),
        (_with(quantity="1000.0001"), 400, "ABOVE_MAXIMUM"),
        (_with(price="0.01", quantity="0.0001"), 400, "BELOW_MINIMUM_NOTIONAL"),
        (_with(orderType="STOP"), 400, "MALFORMED"),
        (_with(timeInForce="FOREVER"), 400, "MALFORMED"),
        (_with(timeInForce="GTD"), 400, "MALFORMED"),
        (_with(timeInForce="GTC", expiresAt="2099-01-01T00:00:00Z"), 400, "MALFORMED"),
        (_with(expiresAt="2020-01-01T00:00:00Z"), 400, "EXPIRED"),
        (_with(expiresAt=1_000), 400, "EXPIRED"),
        (_with(expiresAt="2099-01-01T00:00:00"), 400, "MALFORMED"),
        (_with(expiresAt="tomorrow"), 400, "MALFORMED"),
        (_with(expiresAt=10**30), 400, "MALFORMED"),
        (_with(expiresAt=-5), 400, "MALFORMED"),
        (_with(expiresAt="0001-01-01T00:00:00+23:59"), 400, None),
        (_with(expiresAt="9999-12-31T23:59:59-23:59"), 400, "MALFORMED"),
        (_with(postOnly="yes"), 400, "MALFORMED"),
        (_with(postOnly=True, timeInForce="IOC"), 400, "MALFORMED"),
        (_with(postOnly=True, orderType="MARKET", price=None), 400, "MALFORMED"),
        (_with(orderType="MARKET"), 400, "MALFORMED"),
        (_with(orderType="MARKET", price=None, timeInForce="GTC"), 400, "MALFORMED"),
        (_with(orderType="MARKET", price=None, quoteQuantity=1), 400, "MALFORMED"),
        (_with(orderType="MARKET", price=None, quantity=None), 400, "MALFORMED"),
        (_with(quoteQuantity=1), 400, "MALFORMED"),
        (
            _with(
                orderType="MARKET", price=None, quantity=None, quoteQuantity=1, timeInForce="FOK"
            ),
            400,
            "MALFORMED",
        ),
        (
            _with(orderType="MARKET", price=None, quantity=None, quoteQuantity="0.000001"),
            400,
            "BELOW_MINIMUM_NOTIONAL",
        ),
        (_with(selfTradePrevention="MAYBE"), 400, "MALFORMED"),
        (_with(clientOrderId=""), 400, "MALFORMED"),
        (_with(clientOrderId="x" * 37), 400, "MALFORMED"),
        (_with(clientOrderId="with space"), 400, "MALFORMED"),
        (_with(clientOrderId="line\n"), 400, "MALFORMED"),
        (_with(clientOrderId="null\u0000"), 400, "MALFORMED"),
        (_with(clientOrderId="ünïcödé"), 400, "MALFORMED"),
        (_with(clientOrderId=5), 400, "MALFORMED"),
        (_with(post_only=True), 400, "MALFORMED"),
        (_with(stopPrice="90"), 400, "MALFORMED"),
        (_with(side="BUY"), 400, "MALFORMED"),
        (_with(userId="01"), 400, "MALFORMED"),
        (_with(userId="1_268"), 400, "MALFORMED"),
        (_with(userId="\u0661"), 400, "MALFORMED"),
    ],
    ids=lambda value: str(value)[:60],
)
async def test_a_bad_order_is_refused(
    exchange: Exchange, body: str | bytes, status: int, code: str | None
) -> None:
    from_browser = _JSON | {"Origin": "http://localhost:5173"}
    for headers in (_JSON, from_browser):
        answer = await exchange.client.post("/orders", content=body, headers=headers)
        _refused(answer, status, code)


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/nothing/here", 404, "NOT_FOUND"),
        ("GET", "/orders/", 404, "NOT_FOUND"),
        ("GET", "/%00", 404, "NOT_FOUND"),
        ("GET", "/%ff%fe", 404, "NOT_FOUND"),
        ("PUT", "/orders", 405, "METHOD_NOT_ALLOWED"),
        ("POST", "/health", 405, "METHOD_NOT_ALLOWED"),
        ("DELETE", "/users/1", 405, "METHOD_NOT_ALLOWED"),
        ("GET", "/orders/abc", 400, "MALFORMED"),
        ("GET", "/orders/0", 400, "MALFORMED"),
        ("GET", "/orders/-5", 400, "MALFORMED"),
        ("GET", "/orders/1.5", 400, "MALFORMED"),
        ("GET", "/orders/%00", 400, "MALFORMED"),
        ("GET", "/orders/" + "9" * 19, 404, "UNKNOWN_ORDER"),
        ("GET", "/orders/" + "9" * 5_000, 400, "MALFORMED"),
        ("GET", "/orders/5", 404, "UNKNOWN_ORDER"),
        ("GET", f"/orders/{2**63 - 1}", 404, "UNKNOWN_ORDER"),
        ("DELETE", "/orders/5", 404, "UNKNOWN_ORDER"),
        ("DELETE", "/orders/x", 400, "MALFORMED"),
        ("DELETE", "/orders", 400, "MALFORMED"),
        ("DELETE", "/orders?userId=x", 400, "MALFORMED"),
        ("DELETE", f"/orders?userId={2**63}", 400, "MALFORMED"),
        ("DELETE", "/orders?userId=1&tradingPair=NO-SUCH", 404, "UNKNOWN_MARKET"),
        ("DELETE", "/orders?userId=1&type=HOLD", 400, "MALFORMED"),
        ("GET", "/orders?userId=0", 400, "MALFORMED"),
        ("GET", "/orders?userId=1e3", 400, "MALFORMED"),
        ("GET", "/orders?limit=0", 400, "MALFORMED"),
        ("GET", "/orders?limit=1001", 400, "MALFORMED"),
        ("GET", "/orders?limit=" + "9" * 5_000, 400, "MALFORMED"),
        ("GET", "/orders?cursor=x", 400, "MALFORMED"),
        ("GET", "/orders?status=ASLEEP", 400, "MALFORMED"),
        ("GET", "/orders?status=", 400, "MALFORMED"),
        ("GET", "/orders?tradingPair=NO-SUCH", 404, "UNKNOWN_MARKET"),
        ("POST", "/orders?wait=soon", 400, "MALFORMED"),
        ("POST", "/orders?wait=-1", 400, "MALFORMED"),
        ("POST", "/orders?wait=10001", 400, "MALFORMED"),
        ("GET", "/market/orderbook/NO-SUCH", 404, "UNKNOWN_MARKET"),
        ("GET", "/market/NO-SUCH/orderbook", 404, "UNKNOWN_MARKET"),
        ("GET", "/market/%F0%28%8C%28/orderbook", 404, "UNKNOWN_MARKET"),
        ("GET", f"/market/{BTC}/orderbook?depth=0", 400, "MALFORMED"),
        ("GET", f"/market/{BTC}/orderbook?depth=1001", 400, "MALFORMED"),
        ("GET", f"/market/{BTC}/orderbook?depth=many", 400, "MALFORMED"),
        ("GET", f"/market/{BTC}/orderbook?view=trades", 400, "MALFORMED"),
        ("GET", "/market/trades/NO-SUCH", 404, "UNKNOWN_MARKET"),
        ("GET", f"/market/trades/{BTC}?limit=-1", 400, "MALFORMED"),
        ("GET", f"/market/trades/{BTC}?before=x", 400, "MALFORMED"),
        ("GET", f"/market/trades/{BTC}?before={2**63}", 400, "MALFORMED"),
        ("GET", "/fills", 400, "MALFORMED"),
        ("GET", "/fills?userId=0", 400, "MALFORMED"),
        ("GET", "/fills?userId=1&tradingPair=NO-SUCH", 404, "UNKNOWN_MARKET"),
        ("GET", "/fills?userId=1&limit=1001", 400, "MALFORMED"),
        ("GET", "/fills?userId=1&cursor=1", 400, "MALFORMED"),
        ("GET", f"/fills?userId=1&cursor=1-{2**63}-m", 400, "MALFORMED"),
        ("GET", "/market/NO-SUCH/ticker", 404, "UNKNOWN_MARKET"),
        ("GET", "/charts/NO-SUCH/candles", 404, "UNKNOWN_MARKET"),
        ("GET", f"/charts/{BTC}/candles?interval=7m", 400, "UNKNOWN_INTERVAL"),
        ("GET", f"/charts/{BTC}/candles?interval=", 400, "UNKNOWN_INTERVAL"),
        ("GET", f"/charts/candlesticks/{BTC}?interval=1%20fortnight", 400, "UNKNOWN_INTERVAL"),
        ("GET", f"/charts/{BTC}/candles?limit=0", 400, "MALFORMED"),
        ("GET", f"/charts/{BTC}/candles?before=-1", 400, "MALFORMED"),
        ("GET", "/users/0", 400, "MALFORMED"),
        ("GET", "/users/x", 400, "MALFORMED"),
        ("GET", "/users/987654321", 404, "UNKNOWN_USER"),
        ("GET", f"/users/{2**63 - 1}", 404, "UNKNOWN_USER"),
        ("GET", f"/users/{2**63}", 400, "MALFORMED"),
        ("GET", "/users/1_268", 400, "MALFORMED"),
        ("GET", "/users/01", 400, "MALFORMED"),
        ("GET", "/orders?userId=1_268", 400, "MALFORMED"),
        ("GET", "/orders?userId=%201", 400, "MALFORMED"),
        ("GET", "/orders?userId=%D9%A1", 400, "MALFORMED"),
        ("GET", "/orders?limit=1_0", 400, "MALFORMED"),
        ("GET", "/orders?limit=5&limit=6", 400, "MALFORMED"),
        ("GET", "/orders?user=1", 400, "MALFORMED"),
        ("GET", "/orders/5?userId=1", 400, "MALFORMED"),
        ("GET", "/markets?pair=BTC-USD", 400, "MALFORMED"),
        ("GET", "/health?verbose=1", 400, "MALFORMED"),
        ("GET", f"/market/{BTC}/orderbook?limit=5", 400, "MALFORMED"),
        ("GET", f"/charts/{BTC}/candles?from=5", 400, "MALFORMED"),
        ("DELETE", "/orders?userId=1&side=SELL", 400, "MALFORMED"),
        ("DELETE", "/orders?userId=1&pair=BTC-USD", 400, "MALFORMED"),
        ("DELETE", "/orders?userId=1_268", 400, "MALFORMED"),
        ("POST", "/orders?waits=5", 400, "MALFORMED"),
        ("POST", "/orders?wait=1_0", 400, "MALFORMED"),
        ("POST", "/orders/batch?wait=5", 400, "MALFORMED"),
    ],
    ids=lambda value: str(value)[:60],
)
async def test_a_bad_path_or_query_is_refused(
    exchange: Exchange, method: str, path: str, status: int, code: str
) -> None:
    body = json.dumps(_ORDER) if method == "POST" else None
    answer = await exchange.client.request(
        method, path, content=body, headers=_JSON if body else None
    )
    _refused(answer, status, code)


@pytest.mark.parametrize("name", [5, "", "x" * 101, "tab\t", "null\u0000", "\ud800", ["a"]])
async def test_a_bad_name_is_refused(exchange: Exchange, name: Any) -> None:
    answer = await exchange.client.post("/users", content=json.dumps({"name": name}), headers=_JSON)
    _refused(answer, 400, "MALFORMED")


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/orders"),
        ("POST", "/orders/batch"),
        ("POST", "/users"),
        ("PATCH", "/orders/5"),
        ("DELETE", "/orders/5"),
    ],
)
@pytest.mark.parametrize("chunked", [False, True])
async def test_ten_megabytes_are_read_to_their_end_and_refused(
    exchange: Exchange, method: str, path: str, chunked: bool
) -> None:
    async def pieces() -> Any:
        for _ in range(160):
            yield b"[" * 65_536

    content = pieces() if chunked else b"[" * (160 * 65_536)
    answer = await exchange.client.request(method, path, content=content, headers=_JSON)
    _refused(answer, 413, "BODY_TOO_LARGE")
    assert (await exchange.client.get("/health")).status_code == 200


async def test_ten_megabytes_to_a_path_that_reads_no_body_do_no_harm(exchange: Exchange) -> None:
    body = b"x" * 10_000_000
    for method, path, status in (("GET", "/health", 200), ("POST", "/nothing", 404)):
        answer = await exchange.client.request(method, path, content=body, headers=_JSON)
        assert answer.status_code == status
    assert (await exchange.client.get("/health")).status_code == 200


async def test_ten_megabytes_of_another_type_are_read_to_their_end_and_refused(
    exchange: Exchange,
) -> None:
    for headers in ({}, {"Content-Type": "application/x-www-form-urlencoded"}):
        answer = await exchange.client.post("/orders", content=b"x" * 10_000_000, headers=headers)
        _refused(answer, 415, "UNSUPPORTED_MEDIA_TYPE")


async def test_a_client_that_leaves_in_the_middle_does_no_harm(exchange: Exchange) -> None:
    port = exchange.client.base_url.port
    long = b"Host: x\r\nContent-Length: 100\r\n"
    for sent in (
        b"POST /orders HTTP/1.1\r\n" + long + b"Content-Type: application/json\r\n\r\n{",
        b"POST /users HTTP/1.1\r\n" + long + b"Content-Type: application/json\r\n\r\n{",
        b"POST /orders HTTP/1.1\r\n" + long + b"\r\n{",
        b"POST /orders HTTP/1.1\r\nHost: x\r\n",
        b"GET /health HTTP/1.1\r\nHost: x\r\n\r\n",
    ):
        _, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(sent)
        await writer.drain()
        writer.close()
        await writer.wait_closed()
    assert (await exchange.client.get("/health")).status_code == 200


async def test_a_bad_batch_as_a_whole_is_refused(exchange: Exchange) -> None:
    for body in ("", "{}", '{"orders": 5}', '{"orders": {}}', "7", "[", '{"orders": [}'):
        answer = await exchange.client.post("/orders/batch", content=body, headers=_JSON)
        _refused(answer, 400)
