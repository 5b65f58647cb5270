"""A session's way out: as many packets at a time as client libraries take, and an end."""

import asyncio

import engineio
import pytest
import socketio
from engineio.exceptions import SocketIsClosedError
from engineio.packet import MESSAGE, Packet
from engineio.payload import Payload

from api.hub.packets import ExactJson
from api.hub.protocol import MessageServer
from api.hub.transport import POLL_PACKETS_MAX, EngineServer, HubSocket


def session(*, unread_max: int = 8) -> HubSocket:
    return HubSocket(EngineServer(async_mode="asgi", unread_max=unread_max), "session")


def fill(line: HubSocket, count: int) -> None:
    for number in range(count):
        line.queue.put_nowait(Packet(MESSAGE, data=str(number)))


async def test_a_burst_is_read_in_answers_that_every_library_takes() -> None:
    line = session()
    fill(line, 1_000)
    read: list[str] = []
    while not line.queue.empty():
        packets = await line.poll()
        taken = Payload(encoded_payload=Payload(packets).encode()).packets
        assert len(taken) == len(packets) <= POLL_PACKETS_MAX
        read += [packet.data for packet in packets]
    assert read == [str(number) for number in range(1_000)]
    await asyncio.wait_for(line.queue.join(), 1)


def test_the_bound_towards_clients_is_the_client_librarys_own() -> None:
    assert Payload.max_decode_packets == POLL_PACKETS_MAX


async def test_what_was_queued_before_the_end_is_read_first() -> None:
    line = session()
    fill(line, 3)
    line.queue.put_nowait(None)
    assert [packet.data for packet in await line.poll()] == ["0", "1", "2"]
    assert await line.poll() == []


async def test_a_session_that_reads_nothing_may_ask_no_more() -> None:
    line = session()
    fill(line, 8)
    with pytest.raises(SocketIsClosedError):
        await line.receive(Packet(MESSAGE, data="2[]"))
    assert line.closed
    assert await line.poll() == []


async def test_a_message_that_fails_is_told_and_the_session_goes_on() -> None:
    line = session()

    async def fail(sid: str, message: str) -> None:
        raise ZeroDivisionError(sid, message)

    line.server.on("message", fail)
    await line.receive(Packet(MESSAGE, data="2[]"))
    (told,) = await line.poll()
    assert '"code":"INTERNAL"' in told.data
    assert not line.closed


def test_the_library_itself_is_left_as_it_is() -> None:
    own_json = socketio.packet.Packet.json
    MessageServer(async_mode="asgi", json=ExactJson, unread_max=8)
    assert socketio.packet.Packet.json is own_json
    assert engineio.AsyncServer(async_mode="asgi").max_http_buffer_size == 1_000_000
    assert Payload.max_decode_packets == 16
