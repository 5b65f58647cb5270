"""Host and Origin at every door of a platform that listens on loopback."""

from collections.abc import Iterator

import httpx
import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus

from cluster.tools.platforms import RunningPlatform

_DOORS = [
    "/",
    "/health",
    "/docs",
    "/openapi.json",
    "/markets",
    "/socket.io/?EIO=4&transport=polling",
]


@pytest.fixture
def client(running_platform: RunningPlatform) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=running_platform.url, timeout=10, trust_env=False) as client:
        yield client


@pytest.mark.parametrize("path", _DOORS)
def test_no_door_answers_to_a_name_that_was_made_to_lead_here(
    client: httpx.Client, path: str
) -> None:
    foreign = client.get(path, headers={"Host": f"foreign.example:{client.base_url.port}"})
    assert (foreign.status_code, foreign.json()["code"]) == (421, "UNKNOWN_HOST")
    for host in (f"localhost:{client.base_url.port}", "127.0.0.1", "page.localhost:5173"):
        assert client.get(path, headers={"Host": host}).status_code == 200


async def test_the_hub_takes_no_websocket_of_such_a_name(running_platform: RunningPlatform) -> None:
    port = httpx.URL(running_platform.url).port
    path = "/socket.io/?EIO=4&transport=websocket"
    async with connect(f"ws://localhost:{port}{path}") as websocket:
        assert str(await websocket.recv()).startswith("0{")
    with pytest.raises(InvalidStatus, match="403"):
        async with connect(f"ws://foreign.example:{port}{path}", host="127.0.0.1", port=port):
            pass


def test_no_foreign_page_changes_anything_at_either_door(client: httpx.Client) -> None:
    headers = {"Origin": "https://foreign.example", "Content-Type": "text/plain"}
    for path in ("/orders", "/orders/batch", "/users", "/socket.io/?EIO=4&transport=polling"):
        answer = client.post(path, content="{}", headers=headers)
        assert (answer.status_code, answer.json()["code"]) == (403, "FORBIDDEN_ORIGIN")


def test_health_checks_and_head_pass_the_proxy(client: httpx.Client) -> None:
    assert client.get("/-/healthz").status_code == 200
    get = client.get("/markets")
    head = client.head("/markets")
    assert (head.status_code, head.content) == (200, b"")
    assert head.headers["content-encoding"] == get.headers["content-encoding"] == "gzip"
    assert head.headers["content-length"] == get.headers["content-length"]
