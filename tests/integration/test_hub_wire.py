"""What the hub's wire takes, refuses and tells, over a served hub and a desk that takes notes."""

import asyncio
import json
from collections import deque
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import aiohttp
import httpx
import pytest
import socketio
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from actors.platform.config import Servers
from analytics.client import RemoteCandles
from api.hub.clients import Client
from api.hub.hub import Hub
from api.hub.packets import Batch, event_packet
from api.hub.refusals import MESSAGE_BYTES_MAX
from api.hub.server import HubServer
from api.hub.transport import POLL_PACKETS_MAX
from tests.beds.commands import market
from tests.beds.live import serving
from tests.beds.polling import SEPARATOR, Polling, polling, request
from tests.beds.routing import make_platform
from tests.beds.waiting import until

# The Python client does not read the answers to its polling requests; browsers do.
pytestmark = pytest.mark.filterwarnings("ignore:Unclosed (connection|response):ResourceWarning")

NOBODY = Servers(
    kafka_bootstrap="127.0.0.1:9",
    postgres_url="postgres://127.0.0.1:9",
    redis_url="redis://[::1]:9",
)
UNREAD_MAX = 100


class Desk:
    """Takes every order and notes it."""

    def __init__(self) -> None:
        self.placed: list[Any] = []

    async def place(self, data: Any) -> Any:
        await asyncio.sleep(0)
        if data == "bug":
            raise ZeroDivisionError
        self.placed.append(data)
        return {"orderId": str(len(self.placed))}

    async def cancel(self, data: Any) -> Any:
        return {"orderId": data["orderId"]}


class JoinedHub(Hub):
    """A hub without rooms that lets the test speak to its clients."""

    def join(self, client: Client) -> None:
        super().join(client)
        self.newest = client


@dataclass(kw_only=True)
class Wire:
    """A served hub."""

    hub: JoinedHub
    port: int
    desk: Desk

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def websocket(self, **query: str) -> connect:
        more = "".join(f"&{name}={value}" for name, value in query.items())
        return connect(
            f"ws://127.0.0.1:{self.port}/socket.io/?EIO=4&transport=websocket{more}", max_size=None
        )


@pytest.fixture(scope="module")
async def served(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Wire]:
    platform = make_platform(NOBODY, [market()], tmp_path_factory.mktemp("wire"))
    hub, desk = JoinedHub(platform.exchange, candles=RemoteCandles(namespace="none")), Desk()
    server = HubServer(
        hub, desk=desk, allowed_origins=(), client_messages=UNREAD_MAX, levels_max=100
    )
    async with serving(server) as port:
        yield Wire(hub=hub, port=port, desk=desk)
    await server.stop()
    await hub.stop()


@pytest.fixture
def wire(served: Wire) -> Wire:
    """Give a test a desk without notes."""
    served.desk.placed.clear()
    return served


@pytest.fixture
async def session(wire: Wire) -> AsyncIterator[Polling]:
    async with polling(wire.url) as opened:
        yield opened


def order(number: int, *, ack: int | None = None) -> str:
    return request("place_order", {"clientOrderId": f"{number}"}, ack=ack)


def numbers(orders: list[Any]) -> list[int]:
    return [int(one["clientOrderId"]) for one in orders]


async def test_every_order_of_a_long_payload_is_taken_in_order(
    wire: Wire, session: Polling
) -> None:
    posted = await session.post(*(order(number) for number in range(1_000)))
    assert (posted.status_code, posted.text) == (200, "OK")
    assert numbers(wire.desk.placed) == list(range(1_000))


async def test_an_answer_of_a_poll_holds_what_client_libraries_take(session: Polling) -> None:
    await session.post(*(order(number, ack=number) for number in range(40)))
    answers: list[str] = []
    while len(answers) < 40:
        packets = await session.poll()
        assert len(packets) <= POLL_PACKETS_MAX
        answers += packets
    assert answers == [f'43{number}[{{"orderId":"{number + 1}"}}]' for number in range(40)]


async def test_a_burst_reaches_a_polling_client_whole_and_in_order(wire: Wire) -> None:
    heard: list[int] = []
    client = socketio.AsyncClient(reconnection=False)
    client.on("new_trade", lambda trade: heard.append(trade["id"]))
    await client.connect(wire.url, transports=["polling"], wait_timeout=20)
    events = [event_packet("new_trade", {"id": number}) for number in range(1_000)]
    parts = deque(Batch(events[start : start + 20]) for start in range(0, 1_000, 20))

    async def all_heard() -> bool:
        assert client.connected
        while parts and wire.hub.newest.send(parts[0]):
            parts.popleft()
        return len(heard) >= 1_000

    await until(all_heard, what="a thousand events")
    await client.disconnect()
    assert heard == list(range(1_000))


def padded(size: int) -> str:
    """Return an order whose packet has so many bytes."""
    return order(1)[:-2] + " " * (size - len(order(1))) + order(1)[-2:]


async def test_a_payload_of_exactly_the_bound_is_taken(wire: Wire, session: Polling) -> None:
    half = MESSAGE_BYTES_MAX // 2
    posted = await session.post(padded(half), padded(half - len(SEPARATOR)))
    assert (posted.status_code, posted.text) == (200, "OK")
    assert numbers(wire.desk.placed) == [1, 1]


@pytest.mark.parametrize("chunked", [False, True])
async def test_a_payload_above_the_bound_is_refused_whole_and_the_session_goes_on(
    wire: Wire, session: Polling, chunked: bool
) -> None:
    body = SEPARATOR.join([order(1), padded(MESSAGE_BYTES_MAX - len(order(1)))]).encode()
    posted = await session.post_body(in_chunks(body) if chunked else body)
    assert posted.status_code == 413
    assert posted.headers["content-type"] == "application/json"
    content = posted.json()
    assert (content["statusCode"], content["code"]) == (413, "MESSAGE_TOO_LARGE")
    assert await session.event("error") == content
    assert wire.desk.placed == []
    assert (await session.post(order(2))).text == "OK"
    assert numbers(wire.desk.placed) == [2]


async def in_chunks(body: bytes) -> AsyncIterator[bytes]:
    for start in range(0, len(body), 1_000):
        yield body[start : start + 1_000]


async def test_a_payload_in_chunks_is_taken_like_any_other(wire: Wire, session: Polling) -> None:
    body = SEPARATOR.join(order(number) for number in range(100)).encode()
    assert (await session.post_body(in_chunks(body))).text == "OK"
    assert numbers(wire.desk.placed) == list(range(100))


@pytest.mark.parametrize("wrong", ["", "x", "9", "0", "ba", b"4\xff", "\u00b2"])
async def test_a_payload_that_is_not_well_formed_is_refused_whole(
    wire: Wire, session: Polling, wrong: str | bytes
) -> None:
    posted = await session.post(order(1), wrong, order(2))
    assert (posted.status_code, posted.json()["code"]) == (400, "MALFORMED")
    assert await session.event("error") == posted.json()
    assert wire.desk.placed == []
    assert (await session.post(order(3))).text == "OK"


@pytest.mark.parametrize(
    "message",
    [
        "427[",
        '427["place_order",{"price":1e99999999999999999999}]',
        "427{}",
        "427[]",
        "427[7]",
        '427[["x"]]',
        '451-7["place_order",{}]',
        "427",
    ],
)
async def test_a_message_that_is_no_event_is_answered_and_its_neighbours_are_taken(
    wire: Wire, session: Polling, message: str
) -> None:
    assert (await session.post(order(1), message, order(2))).text == "OK"
    assert numbers(wire.desk.placed) == [1, 2]
    told = await session.event("error")
    assert (told["statusCode"], told["code"]) == (400, "MALFORMED")
    assert await session.answer(7) == told


@pytest.mark.parametrize(
    "message", ["4", "4x", '4{"a":1}', "4null", "48[]", "44{}", "bAAAA", "42["]
)
async def test_a_message_that_cannot_be_answered_is_told_as_an_event(
    wire: Wire, session: Polling, message: str
) -> None:
    assert (await session.post(message, order(2))).text == "OK"
    assert (await session.event("error"))["code"] == "MALFORMED"
    assert numbers(wire.desk.placed) == [2]


async def test_a_client_that_reads_no_answers_is_told_how_much_was_taken(
    wire: Wire, session: Polling
) -> None:
    posted = await session.post(*(order(number, ack=number) for number in range(300)))
    content = posted.json()
    assert (posted.status_code, content["code"]) == (409, "DISCONNECTED")
    taken = len(wire.desk.placed)
    assert UNREAD_MAX <= taken < 300
    assert f"{taken} of the 300 packets" in content["message"]
    assert (await session.post(order(1))).status_code == 400
    assert len(wire.desk.placed) == taken


async def test_refusals_that_are_not_read_have_a_bound_too(wire: Wire) -> None:
    async with httpx.AsyncClient(base_url=wire.url) as http:
        stranger = Polling(http)
        await stranger.open()
        posted = await stranger.post(*["42["] * 2_000)
        assert (posted.status_code, posted.json()["code"]) == (409, "DISCONNECTED")


async def test_what_follows_a_goodbye_is_not_answered_as_taken(
    wire: Wire, session: Polling
) -> None:
    posted = await session.post(order(1), "1", order(2))
    assert (posted.status_code, posted.json()["code"]) == (409, "DISCONNECTED")
    assert "2 of the 3 packets" in posted.json()["message"]
    assert numbers(wire.desk.placed) == [1]


async def test_the_bound_is_told_when_a_session_opens(wire: Wire) -> None:
    async with httpx.AsyncClient(base_url=wire.url) as http:
        assert (await Polling(http).open())["maxPayload"] == MESSAGE_BYTES_MAX


async def test_an_event_before_the_namespace_is_refused(wire: Wire) -> None:
    async with httpx.AsyncClient(base_url=wire.url) as http:
        early = Polling(http)
        await early.open()
        assert (await early.post(order(1, ack=3))).text == "OK"
        assert (await early.answer(3))["code"] == "NOT_CONNECTED"
    assert wire.desk.placed == []


@pytest.mark.parametrize("event", ["place_orders", "connect", "disconnect", "*", "error"])
@pytest.mark.parametrize("transport", ["polling", "websocket"])
async def test_an_unknown_event_is_answered(wire: Wire, transport: str, event: str) -> None:
    async with aiohttp.ClientSession() as http:
        client = socketio.AsyncClient(reconnection=False, http_session=http)
        told: list[Any] = []
        client.on("error", told.append)
        await client.connect(wire.url, transports=[transport], wait_timeout=20)
        answer = await client.call(event, {"room": "X"})
        assert set(answer) == {"statusCode", "error", "code", "message"}
        assert (answer["statusCode"], answer["error"]) == (404, "Not Found")
        assert answer["code"] == "UNKNOWN_EVENT"
        await client.emit(event, {"room": "X"})
        await client.call("place_order", {})
        assert told == [answer, answer]
        await client.disconnect()


@pytest.mark.parametrize("data", [(), ({}, {}), (None, 1, "x")])
async def test_a_wrong_number_of_arguments_is_refused(session: Polling, data: Any) -> None:
    await session.post(request("place_order", *data, ack=1))
    answer = await session.answer(1)
    assert answer["code"] == "MALFORMED"
    assert f"this one has {len(data)}" in answer["message"]


async def test_an_unknown_namespace_is_refused_with_a_sentence(session: Polling) -> None:
    await session.post('40/admin,{"token":"x"}')
    refused = json.loads((await session.until("44/admin,"))[len("44/admin,") :])
    assert refused["data"]["code"] == "UNKNOWN_NAMESPACE"
    assert refused["message"] == refused["data"]["message"]
    await session.post('42/admin,5["place_order",{}]')
    (answer,) = json.loads((await session.until("43/admin,5"))[len("43/admin,5") :])
    assert answer["code"] == "NOT_CONNECTED"


async def test_numbers_reach_the_desk_as_they_were_written(wire: Wire, session: Polling) -> None:
    await session.post('42["place_order",{"price":0.10,"quantity":12345678901234567890.5,"n":1}]')
    (data,) = wire.desk.placed
    assert data == {"price": Decimal("0.10"), "quantity": Decimal("12345678901234567890.5"), "n": 1}
    assert str(data["price"]) == "0.10"


async def test_binary_data_is_refused(wire: Wire) -> None:
    client = socketio.AsyncClient(reconnection=False)
    await client.connect(wire.url, transports=["polling"], wait_timeout=20)
    assert (await client.call("place_order", {"price": b"1"}))["code"] == "MALFORMED"
    assert await client.call("place_order", {"price": 1}) == {"orderId": "1"}
    await client.disconnect()
    assert wire.desk.placed == [{"price": 1}]


async def test_a_fault_of_the_hub_is_answered_as_one(session: Polling) -> None:
    await session.post(request("place_order", "bug", ack=1))
    answer = await session.answer(1)
    assert (answer["statusCode"], answer["code"]) == (500, "INTERNAL")


async def talking(websocket: ClientConnection) -> None:
    """Connect to the default namespace."""
    assert str(await websocket.recv()).startswith("0{")
    await websocket.send("40")
    assert str(await websocket.recv()).startswith("40{")


async def test_a_websocket_message_of_exactly_the_bound_is_taken(wire: Wire) -> None:
    async with wire.websocket() as websocket:
        await talking(websocket)
        await websocket.send(padded(MESSAGE_BYTES_MAX))
        await websocket.send(order(2, ack=2))
        assert await websocket.recv() == '432[{"orderId":"2"}]'


@pytest.mark.parametrize(
    "message",
    [
        "x" * (MESSAGE_BYTES_MAX + 1),
        "\u20ac" * (MESSAGE_BYTES_MAX // 2),
        bytes(MESSAGE_BYTES_MAX + 1),
    ],
    ids=["text", "wide", "binary"],
)
async def test_a_websocket_message_above_the_bound_is_answered_before_the_close(
    wire: Wire, message: str | bytes
) -> None:
    async with wire.websocket() as websocket:
        await talking(websocket)
        await websocket.send(order(1))
        await websocket.send(message)
        name, content = json.loads(str(await websocket.recv())[2:])
        assert (name, content["statusCode"]) == ("error", 413)
        assert content["code"] == "MESSAGE_TOO_LARGE"
        with pytest.raises(ConnectionClosed) as closed:
            await websocket.recv()
    assert closed.value.rcvd is not None
    assert closed.value.rcvd.code == 1009
    assert numbers(wire.desk.placed) == [1]


async def test_a_websocket_message_above_the_servers_bound_closes_with_a_code(wire: Wire) -> None:
    async with wire.websocket() as websocket:
        await talking(websocket)
        # Most of it is still on its way when the server refuses it.
        with suppress(ConnectionClosed):
            await websocket.send("x" * (48 * 1024 * 1024))
        with pytest.raises(ConnectionClosed) as closed:
            await websocket.recv()
    assert closed.value.rcvd is not None
    assert closed.value.rcvd.code == 1009


@pytest.mark.parametrize("message", ["", "x", "9", "b=", "0", "42[", "4x", b"\x00"])
async def test_a_websocket_message_that_is_not_well_formed_is_told_and_the_session_goes_on(
    wire: Wire, message: str | bytes
) -> None:
    async with wire.websocket() as websocket:
        await talking(websocket)
        await websocket.send(message)
        name, content = json.loads(str(await websocket.recv())[2:])
        assert (name, content["code"]) == ("error", "MALFORMED")
        await websocket.send(order(1, ack=1))
        assert await websocket.recv() == '431[{"orderId":"1"}]'


async def test_after_a_failed_upgrade_the_polls_are_answered(wire: Wire, session: Polling) -> None:
    async with wire.websocket(sid=session.session):
        pass

    async def answered() -> bool:
        return await session.poll() != ["6"]

    await session.post(order(1, ack=1))
    await until(answered, what="a poll that tells something")
