"""A stream between two real ends: order, size, failures, back-pressure."""

import asyncio
import threading
from pathlib import Path

import pytest

from actors.platform.errors import StreamFullError
from actors.stream.endpoint import Listening
from actors.stream.server import StreamServer
from tests.unit.stream.ends import (
    NODE,
    TOKEN,
    AwayError,
    connected,
    dialer,
    echo,
    serving,
    without_file,
)


@pytest.mark.parametrize("node_id", [NODE, "another-node"])
async def test_requests_are_done_in_order_and_each_gets_its_answer(
    tmp_path: Path, node_id: str
) -> None:
    seen: list[bytes] = []

    def note(payload: bytes) -> bytes:
        seen.append(payload)
        return payload[::-1]

    requests = [f"request {number}".encode() for number in range(1_000)]
    async with serving(note, tmp_path) as endpoint, connected(endpoint, node_id=node_id) as stream:
        answers = await asyncio.gather(*(stream.request(one, bytes) for one in requests))
    assert seen == requests
    assert answers == [one[::-1] for one in requests]


@pytest.mark.parametrize("node_id", [NODE, "another-node"])
async def test_large_messages_pass_whole_in_both_directions(tmp_path: Path, node_id: str) -> None:
    large = bytes(range(256)) * 80_000
    async with serving(echo, tmp_path) as endpoint, connected(endpoint, node_id=node_id) as stream:
        sent = [large, b"", large]
        answers = await asyncio.gather(*(stream.request(one, bytes) for one in sent))
    assert answers == sent


async def test_a_request_that_fails_fails_alone(tmp_path: Path) -> None:
    def picky(payload: bytes) -> bytes:
        if payload == b"bad":
            raise KeyError("no such pair")
        return payload

    async with serving(picky, tmp_path) as endpoint, connected(endpoint) as stream:
        asked = [stream.request(one, bytes) for one in (b"good", b"bad", b"better")]
        good, bad, better = await asyncio.gather(*asked, return_exceptions=True)
    assert (good, better) == (b"good", b"better")
    assert isinstance(bad, AwayError)
    assert "KeyError: 'no such pair'" in str(bad)


async def test_a_request_whose_asker_has_gone_disturbs_no_other(tmp_path: Path) -> None:
    async with serving(echo, tmp_path) as endpoint, connected(endpoint) as stream:
        gone, kept = stream.request(b"gone", bytes), stream.request(b"kept", bytes)
        gone.cancel()
        assert await kept == b"kept"


async def test_more_requests_than_may_wait_are_refused_and_not_sent(tmp_path: Path) -> None:
    go_on = threading.Event()
    seen: list[bytes] = []

    def slow(payload: bytes) -> bytes:
        go_on.wait(10)
        seen.append(payload)
        return payload

    async with (
        serving(slow, tmp_path) as endpoint,
        connected(endpoint, dialled=dialer(unanswered_max=2)) as stream,
    ):
        asked = [stream.request(b"one", bytes), stream.request(b"two", bytes)]
        with pytest.raises(StreamFullError):
            stream.request(b"three", bytes)
        go_on.set()
        assert await asyncio.gather(*asked) == [b"one", b"two"]
        assert await stream.request(b"four", bytes) == b"four"
    assert seen == [b"one", b"two", b"four"]


async def test_a_handler_may_promise_answers_which_overtake_each_other(tmp_path: Path) -> None:
    promised: list[asyncio.Future[bytes]] = []

    def promise(payload: bytes) -> bytes | asyncio.Future[bytes]:
        if payload == b"at once":
            return payload
        promised.append(asyncio.get_running_loop().create_future())
        return promised[-1]

    server = StreamServer(promise, token=TOKEN)
    listening = Listening(node_id=NODE, host="127.0.0.1", folder=tmp_path)
    await server.start(listening.sockets)
    async with connected(listening.endpoint) as stream:
        first, second = (stream.request(word, bytes) for word in (b"first", b"second"))
        assert await stream.request(b"at once", bytes) == b"at once"
        promised[1].set_result(b"two")
        assert await second == b"two"
        assert not first.done()
        promised[0].set_exception(ValueError("not this one"))
        with pytest.raises(AwayError, match="not this one"):
            await first
        left = stream.request(b"third", bytes)
        await stream.request(b"at once", bytes)
        await server.stop()
        with pytest.raises(AwayError):
            await left
    assert promised[2].cancelled()
    listening.close()


async def test_a_client_that_takes_no_answers_is_not_read_any_more(tmp_path: Path) -> None:
    served = 0

    def generous(payload: bytes) -> bytes:
        nonlocal served
        served += 1
        return bytes(1 << 20)

    async with serving(generous, tmp_path) as endpoint, connected(endpoint) as stream:
        transport = stream._transport
        assert transport is not None
        transport.pause_reading()
        asked = [stream.request(bytes(32_768), bytes) for _ in range(400)]
        before = -1
        while before != served:
            before = served
            await asyncio.sleep(0.3)
        assert served < 100
        transport.resume_reading()
        assert {len(answer) for answer in await asyncio.gather(*asked)} == {1 << 20}


async def test_a_file_that_somebody_has_removed_leaves_the_port(tmp_path: Path) -> None:
    async with (
        serving(echo, tmp_path) as endpoint,
        connected(without_file(endpoint)) as stream,
    ):
        assert await stream.request(b"by port", bytes) == b"by port"


async def test_what_comes_by_the_older_connection_of_a_client_is_not_done_any_more(
    tmp_path: Path,
) -> None:
    seen: list[bytes] = []

    def note(payload: bytes) -> bytes:
        seen.append(payload)
        return payload

    one = dialer()
    async with serving(note, tmp_path) as endpoint:
        older = await one.connect(endpoint, node_id=NODE)
        assert await older.request(b"in time", bytes) == b"in time"
        newer = await one.connect(endpoint, node_id=NODE)
        with pytest.raises(AwayError):
            await older.request(b"too late", bytes)
        assert await newer.request(b"anew", bytes) == b"anew"
        newer.close()
    assert seen == [b"in time", b"anew"]
