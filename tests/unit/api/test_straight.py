"""The straight way past what stands around an application, under a real uvicorn."""

import asyncio
import re
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from typing import Any

import pytest
import uvicorn
from structlog.testing import capture_logs
from uvicorn.config import HTTP_PROTOCOLS
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus

from actors.platform.config import Servers
from api.application import STRAIGHT_PATHS, create_app
from api.asgi.straight import StraightProtocol, go_straight
from cluster.markets import default_topology
from cluster.plan import Platform
from tests.beds.waiting import until

_ORDER = b"POST /orders HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\n{}"
_HEALTH = b"GET /health HTTP/1.1\r\nHost: a\r\n\r\n"
_LAST = b"GET /last HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"


class _Echo:
    """An application that answers with its name and what it was sent, once it is let."""

    def __init__(self, name: str) -> None:
        self._name = name
        self.is_asked = asyncio.Event()
        self.may_answer = asyncio.Event()
        self.may_answer.set()
        self.asked: list[tuple[str, str]] = []

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        self.asked.append((scope["type"], scope["path"]))
        if scope["type"] == "websocket":
            await send({"type": "websocket.close"})
            return
        body, more = b"", True
        while more:
            message = await receive()
            body += message["body"]
            more = message["more_body"]
        self.is_asked.set()
        await self.may_answer.wait()
        content = f"{self._name} {scope['method']} {scope['path']} {body.decode()}".encode()
        headers = [(b"content-length", b"%d" % len(content))]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": content})


async def _failing(scope: Any, receive: Any, send: Any) -> None:
    raise RuntimeError("not as it should be")


def _protocol(application: Any, *, home: asyncio.AbstractEventLoop | None = None) -> Any:
    return partial(
        StraightProtocol,
        application=application,
        paths=STRAIGHT_PATHS,
        home=home or asyncio.get_running_loop(),
    )


@asynccontextmanager
async def _served(
    around: Any, http: Any = "auto"
) -> AsyncIterator[tuple[uvicorn.Server, asyncio.Task[None], int]]:
    """Serve an application; yield the server, its task and its port."""
    with socket.socket(proto=socket.IPPROTO_TCP) as listener:
        listener.bind(("127.0.0.1", 0))
        config = uvicorn.Config(around, http=http, log_config=None, lifespan="off", loop="none")
        server = uvicorn.Server(config)
        task = asyncio.create_task(server.serve(sockets=[listener]))

        async def is_up() -> bool:
            return server.started

        await until(is_up, what="uvicorn is up")
        try:
            yield server, task, listener.getsockname()[1]
        finally:
            server.should_exit = True
            await task


async def _told(port: int, *pieces: bytes) -> bytes:
    """Return all that a server says to these bytes, but the time that it says."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    for piece in pieces:
        writer.write(piece)
        await writer.drain()
        # The server's turn, so that it can read each piece by itself.
        await asyncio.sleep(0)
    async with asyncio.timeout(10):
        told = await reader.read()
    writer.close()
    await writer.wait_closed()
    return re.sub(rb"date: [^\r]*", b"date: now", told)


def _bodies(told: bytes) -> list[str]:
    return re.findall(r"(?:own|around) [A-Z]+ \S+", told.decode())


async def test_what_takes_the_short_lane_goes_straight_and_all_else_the_long_way() -> None:
    async with _served(_Echo("around"), _protocol(_Echo("own"))) as (_, _, port):
        for method, target, name in [
            ("POST", "/orders", "own"),
            ("POST", "/orders/batch", "own"),
            ("POST", "/orders?wait=100", "around"),
            ("POST", "/orders/batch?x=1", "around"),
            ("POST", "/orders/", "around"),
            ("POST", "/users", "around"),
            ("PUT", "/orders", "around"),
            ("DELETE", "/orders", "around"),
            ("GET", "/orders", "around"),
            ("GET", "/-/healthz", "around"),
        ]:
            head = f"{method} {target} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
            assert _bodies(await _told(port, head.encode())) == [
                f"{name} {method} {target.partition('?')[0]}"
            ]


async def test_requests_of_one_connection_are_answered_in_order_whichever_way_they_go() -> None:
    expected = ["own POST /orders", "around GET /health", "own POST /orders", "around GET /last"]
    async with _served(_Echo("around"), _protocol(_Echo("own"))) as (_, _, port):
        told = await _told(port, _ORDER + _HEALTH + _ORDER + _LAST)
        assert _bodies(told) == expected
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        for request, answer in zip((_ORDER, _HEALTH, _ORDER, _LAST), expected, strict=True):
            writer.write(request)
            await reader.readuntil(answer.encode())
        writer.close()


@pytest.mark.parametrize(
    "pieces",
    [
        (_ORDER, _LAST),
        # A body in pieces, by length and by chunks.
        (b"POST /orders HTTP/1.1\r\nHost: a\r\nContent-Length: 6\r\n\r\n{", b'"a":', b"}", _LAST),
        (
            b"POST /orders HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1\r\n{",
            b"\r\n1\r\n}\r\n0\r\n\r\n",
            _LAST,
        ),
        (b"POST /or", b"ders HTTP/1.1\r\nHo", b"st: a\r\nContent-Length: 0\r\n\r\n", _LAST),
        (_ORDER.replace(b"Host", b"Expect: 100-continue\r\nHost"), _LAST),
        (_ORDER.replace(b"/orders", b"/%6frders"), _LAST),
        (_ORDER.replace(b"HTTP/1.1", b"HTTP/1.0"),),
        (_ORDER.replace(b"Host", b"Connection: close\r\nHost"),),
        (_ORDER.replace(b"Host", b"Connection: upgrade, close\r\nUpgrade: h2c\r\nHost"),),
        (b"POST /orders HTTP/1.1\r\nHost: a\r\nContent-Length: x\r\n\r\n",),
        (b"POST /orders HTTP/1.1\r\nno header\r\n\r\n",),
        (b"POST http:// HTTP/1.1\r\n\r\n",),
        (b"\x16\x03\x01\r\n\r\n",),
    ],
)
async def test_an_application_is_asked_and_answers_the_same_either_way(
    pieces: tuple[bytes, ...],
) -> None:
    usual, around, own = _Echo("own"), _Echo("own"), _Echo("own")
    async with _served(usual, HttpToolsProtocol) as (_, _, port):
        told = await _told(port, *pieces)
    async with _served(around, _protocol(own)) as (_, _, port):
        assert await _told(port, *pieces) == told
    assert told
    assert own.asked == [one for one in usual.asked if one[1] == "/orders"]
    assert own.asked + around.asked == usual.asked


async def test_a_websocket_goes_the_long_way() -> None:
    own, around = _Echo("own"), _Echo("around")
    async with _served(around, _protocol(own)) as (_, _, port):
        with pytest.raises(InvalidStatus):
            await connect(f"ws://127.0.0.1:{port}/orders")
    assert (own.asked, around.asked) == ([], [("websocket", "/orders")])


async def test_an_application_of_another_loop_is_not_asked_from_this_one() -> None:
    elsewhere = asyncio.new_event_loop()
    async with _served(_Echo("around"), _protocol(_Echo("own"), home=elsewhere)) as (_, _, port):
        assert _bodies(await _told(port, _ORDER + _LAST))[0] == "around POST /orders"
    elsewhere.close()


async def test_what_an_application_fails_at_is_logged_and_answered() -> None:
    with capture_logs() as told:
        async with _served(_Echo("around"), _protocol(_failing)) as (_, _, port):
            answer = await _told(port, _ORDER)
    assert answer.startswith(b"HTTP/1.1 500 ")
    assert [(line["event"], line["path"]) for line in told] == [("request_failed", "/orders")]


async def test_an_order_under_way_is_answered_by_a_server_that_is_told_to_stop() -> None:
    own = _Echo("own")
    own.may_answer.clear()
    async with _served(_Echo("around"), _protocol(own)) as (server, serving, port):
        answer = asyncio.create_task(_told(port, _ORDER))
        await own.is_asked.wait()
        server.should_exit = True

        async def takes_no_more() -> bool:
            return not any(listening.is_serving() for listening in server.servers)

        await until(takes_no_more, what="the server takes no more connections")
        assert not serving.done()
        own.may_answer.set()
        told = await answer
    assert told.startswith(b"HTTP/1.1 200 ")
    assert _bodies(told) == ["own POST /orders"]


async def test_a_gateways_orders_go_straight_once_its_process_was_told_so(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # Put back after the test, whatever is put in its place.
    monkeypatch.setitem(HTTP_PROTOCOLS, "auto", HTTP_PROTOCOLS["auto"])
    nowhere = Servers(kafka_bootstrap="", postgres_url="", redis_url="")
    platform = Platform(servers=nowhere, topology=default_topology(), data_directory="")
    go_straight(create_app(platform.gateway), STRAIGHT_PATHS)
    async with _served(_Echo("around")) as (_, _, port):
        told = await _told(port, _ORDER.replace(b"Host: a", b"Host: localhost") + _LAST)
    assert b"UNSUPPORTED_MEDIA_TYPE" in told
    assert _bodies(told) == ["around GET /last"]
