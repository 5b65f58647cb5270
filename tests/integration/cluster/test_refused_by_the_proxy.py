"""What is no request, sent to a running platform byte by byte."""

import contextlib
import json
import socket

import httpx
import pytest

from cluster.tools.platforms import RunningPlatform

_POST = "POST /orders HTTP/1.1\r\nHost: here\r\nContent-Type: application/json\r\n"
_ANSWER_S = 20.0
_LONG = 70_000


@pytest.mark.parametrize(
    "request_bytes",
    [
        pytest.param(
            b"GET /markets HTTP/1.1\r\nHost: here\r\nX-Long: " + b"a" * _LONG + b"\r\n\r\n",
            id="a header of 70 kB",
        ),
        pytest.param(
            b"GET /markets?" + b"a" * _LONG + b" HTTP/1.1\r\nHost: here\r\n\r\n",
            id="an address of 70 kB",
        ),
        pytest.param(f"{_POST}Content-Length: -1\r\n\r\n".encode(), id="a negative length"),
        pytest.param(f"{_POST}Content-Length: two\r\n\r\n{{}}".encode(), id="a length in letters"),
        pytest.param(
            f"{_POST}Content-Length: 2\r\nContent-Length: 3\r\n\r\n{{}}".encode(), id="two lengths"
        ),
        pytest.param(
            f"{_POST}Transfer-Encoding: chunked\r\n\r\nmany\r\n".encode(), id="a chunk in letters"
        ),
        pytest.param(b"%%% none of this is HTTP\r\n\r\n", id="a first line of garbage"),
        pytest.param(b"GET /mar\0kets HTTP/1.1\r\nHost: here\r\n\r\n", id="a NUL in the path"),
        pytest.param(
            b"GET /markets HTTP/1.1\r\nHost: here\r\nX-Nul: a\0b\r\n\r\n", id="a NUL in a header"
        ),
        pytest.param(b"PLACE /orders HTTP/1.1\r\nHost: here\r\n\r\n", id="a method of nobody's"),
        pytest.param(b"OPTIONS * HTTP/1.1\r\nHost: here\r\n\r\n", id="no path"),
    ],
)
def test_what_is_no_request_is_refused_in_json_and_the_next_one_is_answered(
    running_platform: RunningPlatform, request_bytes: bytes
) -> None:
    head, body = _ask(running_platform.url, request_bytes)
    assert head.startswith("http/1.1 400 "), head
    assert "\r\ncontent-type: application/json" in head
    content = json.loads(body)
    assert set(content) == {"statusCode", "error", "code", "message"}
    assert content["statusCode"] == 400
    assert httpx.get(f"{running_platform.url}/markets", timeout=_ANSWER_S).status_code == 200


def test_a_long_body_reaches_the_gateway_and_is_refused_there(
    running_platform: RunningPlatform,
) -> None:
    answer = httpx.post(
        f"{running_platform.url}/orders",
        content=b" " * 3_000_000,
        headers={"Content-Type": "application/json"},
        timeout=_ANSWER_S,
    )
    assert answer.status_code == 413
    assert answer.json()["code"] == "BODY_TOO_LARGE"


def _ask(url: str, request: bytes) -> tuple[str, bytes]:
    """Return head, in small letters, and body of the answer to what may be no request."""
    address = httpx.URL(url)
    with socket.create_connection((address.host, address.port), timeout=_ANSWER_S) as connection:
        # It may be refused before all of it was sent.
        with contextlib.suppress(ConnectionError):
            connection.sendall(request)
        with connection.makefile("rb") as answer:
            lines = []
            while (line := answer.readline()) not in (b"\r\n", b""):
                lines.append(line.decode().lower())
            head = "".join(lines)
            length = int(head.partition("content-length: ")[2].partition("\r")[0])
            return head, answer.read(length)
