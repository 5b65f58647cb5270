"""What stands before every door: hosts, origins, content types, methods, compression."""

import asyncio
import gzip
import tracemalloc
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from fastapi.routing import iter_route_contexts
from starlette.routing import Mount
from starlette.types import Message, Receive, Scope, Send

from actors.platform.config import Servers
from api.application import create_app
from api.asgi.guard import Guard
from cluster.markets import default_topology
from cluster.plan import Platform

_FOREIGN = "https://foreign.example"
_OWN = "https://exchange.example"
_READING = {"GET", "HEAD", "OPTIONS"}
_JSON = {"Content-Type": "application/json"}
_SCRIPT = "console.log('here');\n" * 200
_ASKS_NOTHING_BEHIND = ["/", "/health", "/openapi.json", "/docs", "/redoc", "/assets/index-a1.js"]


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A built page."""
    folder = tmp_path_factory.mktemp("page")
    (folder / "assets").mkdir()
    (folder / "index.html").write_text("<!doctype html><title>Here</title>")
    (folder / "assets" / "index-a1.js").write_text(_SCRIPT)
    return folder


@pytest.fixture(scope="module")
def app(page: Path) -> FastAPI:
    """A gateway on loopback with nothing behind it."""
    return create_app(_platform(page, loopback=True).gateway)


@pytest.fixture(scope="module")
def elsewhere(page: Path) -> FastAPI:
    """A gateway that other machines reach, with nothing behind it."""
    return create_app(_platform(page, loopback=False).gateway)


@pytest.fixture
def client(app: FastAPI) -> httpx.AsyncClient:
    """A client that is not a browser."""
    return _client(app)


def _platform(page: Path, *, loopback: bool) -> Platform:
    return Platform(
        servers=Servers(kafka_bootstrap="", postgres_url="", redis_url=""),
        topology=default_topology(),
        data_directory="",
        allowed_origins=(_OWN,),
        loopback=loopback,
        web_directory=str(page),
    )


def _client(app: FastAPI, base_url: str = "http://127.0.0.1:3001") -> httpx.AsyncClient:
    # An application without its lifespan fails where it would ask what is behind it.
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    return httpx.AsyncClient(transport=transport, base_url=base_url)


def _changing(app: FastAPI) -> Iterator[tuple[str, str]]:
    """Yield method and path of every route that changes something."""
    for context in iter_route_contexts(app.routes):
        for method in (context.methods or set()) - _READING:
            yield method, (context.path or "").replace("{", "").replace("}", "")


def _refused(answer: httpx.Response, status: int, code: str) -> None:
    assert answer.status_code == status, answer.text
    content = answer.json()
    assert content.keys() == {"statusCode", "error", "code", "message"}
    assert (content["statusCode"], content["code"]) == (status, code)


async def test_no_route_that_changes_something_takes_a_foreign_pages_request(
    app: FastAPI, client: httpx.AsyncClient
) -> None:
    routes = list(_changing(app))
    assert {("POST", "/orders"), ("POST", "/orders/batch"), ("POST", "/users")} <= set(routes)
    for method, path in routes:
        text = {"Content-Type": "text/plain"}
        answer = await client.request(method, path, content="{}", headers=text)
        _refused(answer, 415, "UNSUPPORTED_MEDIA_TYPE")
        for origin in (_FOREIGN, "null", "http://localhost.foreign.example", "http://[foreign"):
            for headers in (text, _JSON):
                answer = await client.request(
                    method, path, content="{}", headers=headers | {"Origin": origin}
                )
                _refused(answer, 403, "FORBIDDEN_ORIGIN")
                assert "access-control-allow-origin" not in answer.headers
        preflight = await client.options(
            path, headers={"Origin": _FOREIGN, "Access-Control-Request-Method": method}
        )
        _refused(preflight, 403, "FORBIDDEN_ORIGIN")
        assert not any(name.startswith("access-control") for name in preflight.headers)


@pytest.mark.parametrize(
    ("content_type", "taken"),
    [
        ("application/json", True),
        ("Application/JSON", True),
        ("application/json; charset=utf-8", True),
        ('application/json;charset="UTF-8"', True),
        ("application/vnd.orders+json", True),
        ("application/json;", True),
        (' application/json ; v="a;charset=x" ;charset=utf8 ', True),
        ("application/json; charset=utf-16", False),
        ("application/json; charset=utf-8; charset=utf-16", False),
        ("application/json; charset*=a; charset*0=b", False),
        ("application/json; charset*" + "1" * 5_000 + "=a", False),
        ("application/json" + ("; " + " " * 50) * 50 + "x", False),
        ("application/jsonp", False),
        ("application/json-seq", False),
        ("text/json", False),
        ("text/plain; application/json", False),
        ("text/plain;charset=UTF-8", False),
        ("application/x-www-form-urlencoded", False),
        ("multipart/form-data; boundary=application/json", False),
        ("", False),
        (None, False),
    ],
)
async def test_a_body_is_json_by_its_content_type(
    client: httpx.AsyncClient, content_type: str | None, taken: bool
) -> None:
    headers = {} if content_type is None else {"Content-Type": content_type}
    answer = await client.post("/nowhere", content="{}", headers=headers)
    if taken:
        _refused(answer, 404, "NOT_FOUND")
    else:
        _refused(answer, 415, "UNSUPPORTED_MEDIA_TYPE")
        assert "content-type: application/json" in answer.json()["message"]


async def test_an_empty_body_needs_no_type_however_it_is_sent(client: httpx.AsyncClient) -> None:
    async def pieces(*chunks: bytes) -> Any:
        for chunk in chunks:
            yield chunk

    _refused(await client.post("/nowhere"), 404, "NOT_FOUND")
    _refused(await client.post("/nowhere", content=pieces(b"", b"")), 404, "NOT_FOUND")
    sent = await client.post("/nowhere", content=pieces(b"", b"{", b"}"))
    _refused(sent, 415, "UNSUPPORTED_MEDIA_TYPE")


_TAKING_NO_BODY = [
    ("DELETE", "/orders?userId=1"),
    ("POST", "/markets/BTC-USD/halt"),
    ("POST", "/markets/BTC-USD/resume"),
]


@pytest.mark.parametrize(("method", "path"), _TAKING_NO_BODY)
async def test_a_route_that_takes_no_body_refuses_one(
    client: httpx.AsyncClient, method: str, path: str
) -> None:
    for body in ({"userId": 2}, {"type": "SELL"}, {}):
        answer = await client.request(method, path, json=body)
        _refused(answer, 400, "MALFORMED")
        assert "no body" in answer.json()["message"]
    # Past the check there is nothing behind this gateway, or no operator.
    for headers in ({}, _JSON):
        answer = await client.request(method, path, headers=headers)
        assert answer.status_code in (403, 500)


async def test_a_long_body_that_no_route_takes_is_not_held_in_memory(
    client: httpx.AsyncClient,
) -> None:
    sent = 0

    async def long() -> AsyncIterator[bytes]:
        nonlocal sent
        for _ in range(160):
            sent += 1
            yield bytes(64 * 1024)

    method, path = _TAKING_NO_BODY[0]
    tracemalloc.start()
    try:
        answer = await client.request(method, path, content=long(), headers=_JSON)
        _, peak_bytes = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    _refused(answer, 400, "MALFORMED")
    # Its sender, busy writing, gets to read the answer.
    assert sent == 160
    assert peak_bytes < 2 * 1024 * 1024


async def test_reading_with_a_body_is_let_through(client: httpx.AsyncClient) -> None:
    assert (await client.request("GET", "/health", json={})).status_code == 200


async def test_an_allowed_page_may_read_that_it_sent_the_wrong_type(
    client: httpx.AsyncClient,
) -> None:
    answer = await client.post("/orders", content="{}", headers={"Origin": _OWN})
    _refused(answer, 415, "UNSUPPORTED_MEDIA_TYPE")
    assert answer.headers["access-control-allow-origin"] == _OWN


@pytest.mark.parametrize(
    ("base_url", "origin"),
    [
        ("http://127.0.0.1:3001", "http://127.0.0.1:3001"),
        ("http://127.0.0.1:3001", "http://localhost:5173"),
        ("http://localhost:5173", "http://localhost:5173"),
        ("http://127.0.0.1:3001", "http://app.localhost"),
        ("http://127.0.0.1:3001", _OWN),
    ],
)
async def test_allowed_pages_may_change_things(app: FastAPI, base_url: str, origin: str) -> None:
    async with _client(app, base_url) as client:
        answer = await client.post("/nowhere", json={}, headers={"Origin": origin})
        _refused(answer, 404, "NOT_FOUND")
        assert answer.headers["access-control-allow-origin"] == origin
        preflight = await client.options(
            "/orders/5", headers={"Origin": origin, "Access-Control-Request-Method": "DELETE"}
        )
        assert preflight.status_code == 200
        assert preflight.headers["access-control-allow-origin"] == origin


async def test_the_gateways_own_page_needs_no_setting_where_it_listens(elsewhere: FastAPI) -> None:
    async with _client(elsewhere, "https://own.example") as client:
        for origin, status in (("https://own.example", 404), (_FOREIGN, 403)):
            answer = await client.post("/nowhere", json={}, headers={"Origin": origin})
            assert answer.status_code == status


@pytest.mark.parametrize(
    ("host", "known"),
    [
        ("localhost", True),
        ("LOCALHOST:3001", True),
        ("a.b.localhost:3001", True),
        ("127.0.0.1:3001", True),
        ("127.9.8.7", True),
        ("[::1]:3001", True),
        ("exchange.example", True),
        ("exchange.example:8443", True),
        ("foreign.example", False),
        ("localhost.foreign.example:3001", False),
        ("foreign-localhost", False),
        ("127.0.0.1.foreign.example", False),
        ("10.0.0.1", False),
        ("[::2]", False),
        ("[foreign", False),
        ("", False),
    ],
)
async def test_a_host_that_is_not_ours_is_refused_on_loopback(
    app: FastAPI, elsewhere: FastAPI, host: str, known: bool
) -> None:
    headers = {"Host": host}
    for path in ("/", "/health", "/docs", "/openapi.json", "/nowhere", "/assets/index-a1.js"):
        answer = await _client(app).get(path, headers=headers)
        if known:
            assert answer.status_code == (404 if path == "/nowhere" else 200)
        else:
            _refused(answer, 421, "UNKNOWN_HOST")
    if not known:
        # A page whose name was made to lead here is of the same origin as its Host.
        headers["Origin"] = f"http://{host}"
        _refused(await _client(app).post("/orders", json={}, headers=headers), 421, "UNKNOWN_HOST")
    assert (await _client(elsewhere).get("/health", headers={"Host": host})).status_code == 200


@pytest.mark.parametrize(
    ("headers", "taken"),
    [
        ([], True),
        ([(b"host", b"127.0.0.1:3001"), (b"origin", b"http://localhost:5173")], True),
        ([(b"host", b"foreign.example")], False),
        ([(b"host", b"foreign.example"), (b"origin", b"http://foreign.example")], False),
        ([(b"host", b"127.0.0.1:3001"), (b"origin", _FOREIGN.encode())], False),
    ],
)
async def test_a_websocket_of_a_foreign_host_or_page_is_closed_before_it_is_accepted(
    headers: list[tuple[bytes, bytes]], taken: bool
) -> None:
    sent = await _messages(_accepting, {"type": "websocket", "path": "/", "headers": headers})
    assert sent[0]["type"] == ("websocket.accept" if taken else "websocket.close")


async def test_the_hubs_polls_may_send_plain_text_from_allowed_pages_alone() -> None:
    for origin, status in ((b"http://localhost:5173", 200), (_FOREIGN.encode(), 403)):
        headers = [
            (b"host", b"localhost:3001"),
            (b"content-type", b"text/plain;charset=UTF-8"),
            (b"origin", origin),
        ]
        scope = {"type": "http", "method": "POST", "path": "/", "headers": headers}
        assert (await _messages(_accepting, scope))[0]["status"] == status


async def _accepting(scope: Scope, receive: Receive, send: Send) -> None:
    if scope["type"] == "websocket":
        await send({"type": "websocket.accept"})
        return
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body"})


async def _messages(app: Any, scope: Scope) -> list[Message]:
    guard = Guard(app, allowed_origins=(), loopback=True, json_only=False)
    sent: list[Message] = []

    async def receive() -> Message:
        return {"type": "http.request", "body": b"4hello"}

    async def send(message: Message) -> None:
        sent.append(message)

    await guard(scope, receive, send)
    return sent


@pytest.mark.parametrize("encoding", ["identity", "gzip"])
@pytest.mark.parametrize("path", _ASKS_NOTHING_BEHIND)
async def test_head_says_what_get_would_say(
    client: httpx.AsyncClient, path: str, encoding: str
) -> None:
    asked = {"Accept-Encoding": encoding}
    get, head = await asyncio.gather(
        client.get(path, headers=asked), client.head(path, headers=asked)
    )
    assert (get.status_code, head.status_code) == (200, 200)
    assert head.headers == get.headers
    assert "content-length" in head.headers
    assert (await _body_bytes(client, "HEAD", path), head.content) == (0, b"")


async def _body_bytes(client: httpx.AsyncClient, method: str, path: str) -> int:
    async with client.stream(method, path) as answer:
        return sum([len(chunk) async for chunk in answer.aiter_raw()])


async def test_every_path_names_all_of_its_methods(app: FastAPI, client: httpx.AsyncClient) -> None:
    methods: dict[str, set[str]] = {}
    for context in iter_route_contexts(app.routes):
        if not isinstance(context.original_route, Mount):
            methods.setdefault(str(context.path), {"OPTIONS"}).update(context.methods or set())
    assert methods["/orders"] == {"OPTIONS", "GET", "POST", "DELETE"}
    # It has the form of an order's path too.
    methods["/orders/batch"] |= methods["/orders/{id}"]
    methods["/assets/index-a1.js"] = {"OPTIONS", "GET"}
    for path, expected in methods.items():
        whole = sorted(expected | {"HEAD"} if "GET" in expected else expected)
        asked = await client.options(path)
        assert (asked.status_code, asked.content) == (204, b""), path
        assert asked.headers["allow"] == ", ".join(whole), path
        answer = await client.put(path)
        _refused(answer, 405, "METHOD_NOT_ALLOWED")
        assert answer.headers["allow"] == ", ".join(whole), path
        if "GET" not in expected:
            assert (await client.head(path)).status_code == 405, path


@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS", "POST", "BREW"])
async def test_no_method_finds_an_unknown_path(client: httpx.AsyncClient, method: str) -> None:
    answer = await client.request(method, "/nowhere")
    assert answer.status_code == 404
    if method != "HEAD":
        _refused(answer, 404, "NOT_FOUND")


async def test_the_document_has_no_entry_for_head_or_options(client: httpx.AsyncClient) -> None:
    paths = (await client.get("/openapi.json")).json()["paths"]
    assert not {"head", "options"} & {method for path in paths.values() for method in path}


async def test_the_document_names_what_every_changing_route_may_be_refused_with(
    client: httpx.AsyncClient,
) -> None:
    document = (await client.get("/openapi.json")).json()
    assert "421" in document["info"]["description"]
    unknown = set()
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            statuses = set(operation["responses"])
            if method != "get":
                assert statuses >= {"400", "403", "415", "503"}, (method, path)
            if "504" in statuses:
                unknown.add((method, path))
    assert unknown == {
        ("post", "/orders"),
        ("patch", "/orders/{id}"),
        ("delete", "/orders/{id}"),
        ("delete", "/orders"),
        ("post", "/markets/{pair}/halt"),
        ("post", "/markets/{pair}/resume"),
    }
    for name in ("Error", "BatchResult"):
        schema = document["components"]["schemas"][name]
        assert "retryAfter" in schema["properties"]
        assert "retryAfter" not in schema["required"]


@pytest.mark.parametrize(
    "path", ["/openapi.json", "/assets/index-a1.js", "/static-offline-docs/swagger-ui.css"]
)
async def test_what_is_longer_than_a_kilobyte_is_compressed_once_where_the_client_asks(
    client: httpx.AsyncClient, path: str
) -> None:
    plain = await client.get(path, headers={"Accept-Encoding": "identity"})
    assert len(plain.content) > 1_000
    assert "content-encoding" not in plain.headers
    async with client.stream("GET", path, headers={"Accept-Encoding": "gzip, br"}) as answer:
        packed = b"".join([chunk async for chunk in answer.aiter_raw()])
    assert answer.headers["content-encoding"] == "gzip"
    assert gzip.decompress(packed) == plain.content
    assert len(packed) < len(plain.content)
    for headers in (plain.headers, answer.headers):
        assert headers["vary"].count("Accept-Encoding") == 1


async def test_what_is_short_is_sent_as_it_is(client: httpx.AsyncClient) -> None:
    for path in ("/health", "/", "/nowhere"):
        answer = await client.get(path, headers={"Accept-Encoding": "gzip"})
        assert "content-encoding" not in answer.headers
