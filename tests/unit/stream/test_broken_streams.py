"""A stream that breaks: cut, silent, torn, of strangers. All waiting requests fail, none hangs."""

import asyncio
import contextlib
import time
from pathlib import Path

import pytest

from actors.stream import handshake
from actors.stream.frames import FrameKind
from actors.stream.handshake import GREETING_BYTES
from tests.unit.stream.ends import (
    AwayError,
    Reader,
    Writer,
    connected,
    dialer,
    echo,
    frame,
    peer,
    raw_client,
    serving,
)

_QUICK_S = 0.3


async def _read_on(reader: Reader) -> None:
    while await reader.read(65_536):
        pass


async def test_a_token_of_another_platform_is_refused(tmp_path: Path) -> None:
    async with serving(echo, tmp_path) as endpoint:
        with pytest.raises(AwayError, match="closed"):
            await dialer(token="another's").connect(endpoint, node_id="")
        with pytest.raises(AwayError, match="closed"):
            await dialer(token="another's").connect(endpoint, node_id=endpoint.node_id)
        async with connected(endpoint) as stream:
            assert await stream.request(b"a friend", bytes) == b"a friend"


async def test_a_server_that_does_not_know_the_token_is_told_nothing() -> None:
    told: list[bytes] = []

    async def impostor(reader: Reader, writer: Writer) -> None:
        told.append(await reader.read())

    async with peer(impostor) as endpoint:
        with pytest.raises(AwayError, match="closed"):
            # The peer's own handshake refuses; it sees no request in any case.
            await dialer(token="mine").connect(endpoint, node_id="")
    assert told == []


async def test_another_version_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with peer(lambda reader, _: _read_on(reader)) as endpoint:
        greeting = handshake.ServerHandshake.greeting

        def newer(self: handshake.ServerHandshake) -> bytes:
            said = greeting(self)
            return said[:4] + bytes([handshake.VERSION + 1]) + said[5:]

        monkeypatch.setattr(handshake.ServerHandshake, "greeting", newer)
        with pytest.raises(AwayError, match=f"speaks version {handshake.VERSION + 1}"):
            await dialer().connect(endpoint, node_id="")


async def test_what_is_no_stream_is_known_at_its_first_bytes() -> None:
    async def web_server(reader: Reader, writer: Writer) -> None:
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        await _read_on(reader)
        writer.close()

    server = await asyncio.start_server(web_server, "127.0.0.1", 0)
    host, port = server.sockets[0].getsockname()
    async with peer(lambda reader, _: _read_on(reader)) as endpoint:
        elsewhere = type(endpoint)(node_id="", path="", host=host, port=port)
        with pytest.raises(AwayError, match="no stream"):
            await dialer().connect(elsewhere, node_id="here")
    server.close()


async def test_a_peer_that_dies_in_the_middle_of_an_answer_fails_all_that_wait() -> None:
    async def dies(reader: Reader, writer: Writer) -> None:
        await reader.read(1)
        writer.write(frame(FrameKind.ANSWER, 1, b"whole"))
        writer.write(frame(FrameKind.ANSWER, 2, b"torn")[:-2])

    async with peer(dies) as endpoint, connected(endpoint) as stream:
        whole, torn, never = (stream.request(word, bytes) for word in (b"a", b"b", b"c"))
        assert await whole == b"whole"
        for lost in (torn, never):
            with pytest.raises(AwayError, match="closed the connection"):
                await lost
        assert stream.broken
        with pytest.raises(AwayError):
            stream.request(b"d", bytes)


async def test_torn_bytes_break_the_connection() -> None:
    async def tears(reader: Reader, writer: Writer) -> None:
        await reader.read(1)
        torn = bytearray(frame(FrameKind.ANSWER, 1, b"an answer"))
        torn[-3] ^= 1
        writer.write(bytes(torn))
        await _read_on(reader)

    async with peer(tears) as endpoint, connected(endpoint) as stream:
        with pytest.raises(AwayError, match="checksum"):
            await stream.request(b"a", bytes)
        assert stream.broken


@pytest.mark.parametrize(
    "garbage",
    [b"GET / HTTP/1.1\r\n\r\n" * 2, frame(FrameKind.ANSWER, 1, b"an answer nobody asked for")],
)
async def test_a_server_cuts_whoever_sends_what_is_no_request(
    tmp_path: Path, garbage: bytes
) -> None:
    async with serving(echo, tmp_path) as endpoint:
        async with raw_client(endpoint) as (reader, writer):
            writer.write(frame(FrameKind.REQUEST, 1, b"good"))
            assert await reader.readexactly(len(frame(FrameKind.ANSWER, 1, b"good")))
            writer.write(garbage)
            with contextlib.suppress(ConnectionResetError):
                assert await reader.read() == b""
        async with connected(endpoint) as stream:
            assert await stream.request(b"others", bytes) == b"others"


async def test_a_peer_that_is_silent_with_a_request_is_as_dead() -> None:
    async def silent(reader: Reader, writer: Writer) -> None:
        await _read_on(reader)

    async with (
        peer(silent) as endpoint,
        connected(endpoint, dialled=dialer(timeout_s=_QUICK_S)) as stream,
    ):
        await asyncio.sleep(_QUICK_S * 2)
        assert not stream.broken, "nothing was asked of it"
        began_s = time.monotonic()
        asked = [stream.request(b"a", bytes), stream.request(b"b", bytes)]
        for lost in asked:
            with pytest.raises(AwayError, match="no answer within"):
                await lost
        assert _QUICK_S * 0.9 < time.monotonic() - began_s < _QUICK_S * 5
        assert stream.broken


async def test_a_peer_that_is_slow_but_sends_is_waited_for() -> None:
    async def slow(reader: Reader, writer: Writer) -> None:
        await reader.read(1)
        for byte in frame(FrameKind.ANSWER, 1, b"slowly"):
            writer.write(bytes([byte]))
            await asyncio.sleep(_QUICK_S / 6)
        await _read_on(reader)

    async with (
        peer(slow) as endpoint,
        connected(endpoint, dialled=dialer(timeout_s=_QUICK_S)) as stream,
    ):
        assert await stream.request(b"a", bytes) == b"slowly"


async def test_a_peer_that_never_greets_is_given_up() -> None:
    async def mute(reader: Reader, writer: Writer) -> None:
        await _read_on(reader)
        writer.close()

    server = await asyncio.start_server(mute, "127.0.0.1", 0)
    host, port = server.sockets[0].getsockname()
    async with peer(mute) as endpoint:
        elsewhere = type(endpoint)(node_id="", path="", host=host, port=port)
        with pytest.raises(AwayError, match="does not answer"):
            await dialer(timeout_s=_QUICK_S).connect(elsewhere, node_id="here")
    server.close()


async def test_a_stranger_who_says_nothing_is_cut(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("actors.stream.server._HANDSHAKE_S", _QUICK_S)
    async with serving(echo, tmp_path) as endpoint:
        reader, writer = await asyncio.open_connection(endpoint.host, endpoint.port)
        assert len(await reader.readexactly(GREETING_BYTES)) == GREETING_BYTES
        with contextlib.suppress(ConnectionResetError):
            assert await reader.read() == b""
        writer.close()


async def test_an_answer_that_cannot_be_read_fails_all_who_wait(tmp_path: Path) -> None:
    def foreign(_: bytes) -> bytes:
        raise ValueError("of another version")

    async with serving(echo, tmp_path) as endpoint, connected(endpoint) as stream:
        asked = [stream.request(b"one", foreign), stream.request(b"two", bytes)]
        async with asyncio.timeout(5):
            told = await asyncio.gather(*asked, return_exceptions=True)
        assert [type(one) for one in told] == [AwayError, AwayError]


async def test_a_process_that_ends_fails_all_that_wait(tmp_path: Path) -> None:
    async with serving(echo, tmp_path) as endpoint:
        stream = await dialer().connect(endpoint, node_id=endpoint.node_id)
        assert await stream.request(b"a", bytes) == b"a"
    with pytest.raises(AwayError):
        await stream.request(b"b", bytes)
    with pytest.raises(AwayError, match="does not answer"):
        await dialer().connect(endpoint, node_id=endpoint.node_id)
