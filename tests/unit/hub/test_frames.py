"""Frames as the hub writes them, and the way out that writes them or lets them wait."""

from collections.abc import Callable

import pytest
from uvicorn.config import WS_PROTOCOLS, Config
from websockets.client import ClientProtocol
from websockets.frames import Opcode
from websockets.protocol import State
from websockets.uri import parse_uri

from api.hub.frames import FrameProtocol, Outbox, serve_frames, text_frame


class _Wire:
    """A client's connection with a buffer that the test fills and empties."""

    def __init__(self) -> None:
        self.written = b""
        self.is_writable = True
        self.is_aborted = False
        self.on_writable: Callable[[], None] = lambda: None

    def write_frames(self, frames: bytes) -> None:
        self.written += frames

    def abort(self) -> None:
        self.is_aborted = True

    def drain(self) -> None:
        self.is_writable = True
        self.on_writable()


def _outbox() -> Outbox:
    return Outbox(lambda item: str(item).encode())


@pytest.mark.parametrize("size", [0, 1, 125, 126, 0xFFFF, 0x10000, 200_000])
def test_a_frame_is_read_by_a_clients_library_as_it_was_written(size: int) -> None:
    client = ClientProtocol(parse_uri("ws://127.0.0.1"), state=State.OPEN)
    client.receive_data(text_frame(b"a" * size) + text_frame(b"b"))
    told = [(frame.opcode, frame.data) for frame in client.events_received()]  # type: ignore[union-attr]
    assert told == [(Opcode.TEXT, b"a" * size), (Opcode.TEXT, b"b")]


def test_servers_that_a_process_starts_take_frames_once_it_was_told_so(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # Put back after the test, whatever is put in its place.
    monkeypatch.setitem(WS_PROTOCOLS, "auto", WS_PROTOCOLS["auto"])
    serve_frames()
    config = Config("tests.unit.hub.test_frames:_outbox")
    config.load()
    assert config.ws_protocol_class is FrameProtocol


async def test_without_a_wire_packets_wait_to_be_fetched() -> None:
    outbox = _outbox()
    assert not outbox.write(b"frames")
    outbox.put_nowait("a")
    assert await outbox.get() == "a"


async def test_what_waited_goes_out_before_what_comes() -> None:
    outbox, wire = _outbox(), _Wire()
    outbox.put_nowait("a")
    outbox.put_nowait("b")
    outbox.attach(wire)
    assert outbox.write(b"c")
    outbox.put_nowait("d")
    assert wire.written == b"abcd"
    assert outbox.empty()
    await outbox.join()


async def test_what_a_full_buffer_does_not_take_waits_and_nothing_overtakes_it() -> None:
    outbox, wire = _outbox(), _Wire()
    outbox.attach(wire)
    wire.is_writable = False
    outbox.put_nowait("a")
    wire.is_writable = True
    assert not outbox.write(b"x")
    outbox.put_nowait("b")
    assert (wire.written, outbox.qsize()) == (b"", 2)
    wire.drain()
    assert outbox.write(b"c")
    assert wire.written == b"abc"


async def test_an_end_comes_through_whatever_waits_and_closes_a_wire_that_takes_nothing() -> None:
    outbox, wire = _outbox(), _Wire()
    outbox.attach(wire)
    wire.is_writable = False
    outbox.put_nowait("a")
    outbox.put_nowait(None)
    await outbox.ended()
    assert wire.is_aborted
    assert wire.written == b""


async def test_an_end_leaves_a_wire_that_is_read_to_its_closing_handshake() -> None:
    outbox, wire = _outbox(), _Wire()
    outbox.attach(wire)
    outbox.put_nowait("a")
    outbox.put_nowait(None)
    await outbox.ended()
    assert (wire.is_aborted, wire.written) == (False, b"a")
