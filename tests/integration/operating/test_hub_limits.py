"""The hub's limits behind Serve and its proxy: what is answered there is what is documented."""

import json
from collections.abc import AsyncIterator

import httpx
import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed

from api.hub.refusals import MESSAGE_BYTES_MAX
from cluster.tools.platforms import RunningPlatform
from tests.beds.polling import SEPARATOR, polling, request

_SERVER_BYTES_MAX = 16 * 1024 * 1024


async def _in_chunks(body: bytes) -> AsyncIterator[bytes]:
    for start in range(0, len(body), 4_096):
        yield body[start : start + 4_096]


async def test_every_order_of_a_long_payload_is_answered_with_its_id(
    running_platform: RunningPlatform,
) -> None:
    async with httpx.AsyncClient(base_url=running_platform.url) as http:
        user = (await http.post("/users", json={"name": "Payload"})).json()["id"]
    order = {"tradingPair": "BTC-USD", "type": "BUY", "price": 1000, "quantity": "0.1"}
    packets = [request("place_order", order | {"userId": user}, ack=n) for n in range(40)]
    async with polling(running_platform.url) as session:
        posted = await session.post_body(_in_chunks(SEPARATOR.join(packets).encode()))
        assert (posted.status_code, posted.text) == (200, "OK")
        placed = {(await session.answer(number))["orderId"] for number in range(40)}
    assert len(placed) == 40


@pytest.mark.parametrize("size", [MESSAGE_BYTES_MAX + 1, 1_000_000])
async def test_a_payload_above_the_bound_is_refused_with_a_status_and_told(
    running_platform: RunningPlatform, size: int
) -> None:
    async with polling(running_platform.url) as session:
        posted = await session.post("4" + "2" * (size - 1))
        assert (posted.status_code, posted.json()["code"]) == (413, "MESSAGE_TOO_LARGE")
        assert await session.event("error") == posted.json()
        await session.post(request("nothing", {}, ack=1))
        assert (await session.answer(1))["code"] == "UNKNOWN_EVENT"


@pytest.mark.parametrize("size", [MESSAGE_BYTES_MAX + 1, _SERVER_BYTES_MAX, _SERVER_BYTES_MAX + 1])
async def test_a_websocket_message_above_the_bound_closes_with_a_code(
    running_platform: RunningPlatform, size: int
) -> None:
    url = running_platform.url.replace("http", "ws", 1)
    async with connect(f"{url}/socket.io/?EIO=4&transport=websocket") as websocket:
        await websocket.recv()
        await websocket.send("40")
        await websocket.recv()
        await websocket.send("4" + "2" * (size - 1))
        if size <= _SERVER_BYTES_MAX:
            name, content = json.loads(str(await websocket.recv())[2:])
            assert (name, content["code"]) == ("error", "MESSAGE_TOO_LARGE")
        with pytest.raises(ConnectionClosed) as closed:
            await websocket.recv()
    assert closed.value.rcvd is not None
    assert closed.value.rcvd.code == 1009
