"""Faults of streams, done to a process of its own: each is seen, and none outlasts a connection."""

import asyncio
import contextlib
import socket
import sys
import time
from collections.abc import AsyncIterator
from pathlib import Path

import msgspec
import psutil
import pytest

from actors.platform.errors import ActorUnavailableError
from actors.stream.client import Dialer, Stream
from actors.stream.endpoint import Endpoint, remove_stale
from cluster.tools.chaos import sockets, streams
from cluster.tools.chaos.plan import Action, Fault, Target
from tests.beds.waiting import until

pytestmark = pytest.mark.skipif(not sockets.possible(), reason="other processes' sockets take root")

_PORTS = range(31_100, 31_110)
_TOKEN = "a token"
# A delayed byte takes so long in each direction at least.
_DELAY_S_MIN = 0.2
_ANSWERING = """
import sys
from pathlib import Path
import msgspec
from actors.stream.thread import ServingThread
folder, first, last = sys.argv[1:]
thread = ServingThread(
    bytes,
    token="a token",
    node_id="a-node",
    host="127.0.0.1",
    folder=Path(folder),
    ports=(int(first), int(last)),
)
print(msgspec.json.encode(thread.endpoint).decode(), flush=True)
sys.stdin.read()
"""


class _Answering:
    """A process that answers, and its client."""

    def __init__(self, process: psutil.Process, endpoint: Endpoint) -> None:
        self.process = process
        self.endpoint = endpoint
        self._dialer = Dialer(token=_TOKEN, timeout_s=10.0)

    async def connect(self, node_id: str = "a-node") -> Stream:
        return await self._dialer.connect(self.endpoint, node_id=node_id)

    async def hit(self, target: Target, action: Action, *, pick: float = 0.0) -> bool:
        fault = Fault(target=target, action=action, after_s=0.0, lasts_s=1.0, pick=pick)
        return await streams.break_stream(self.process, fault, ports=_PORTS)


@pytest.fixture
async def answering(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[_Answering]:
    monkeypatch.setattr(streams, "socket_folder", lambda: tmp_path)
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", _ANSWERING, str(tmp_path)),
        *(str(_PORTS[0]), str(_PORTS[-1])),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    assert process.stdout is not None
    endpoint = msgspec.json.decode(await process.stdout.readline(), type=Endpoint)
    try:
        yield _Answering(psutil.Process(process.pid), endpoint)
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.wait()


async def _answers(stream: Stream) -> bool:
    try:
        return await stream.request(b"are you there", bytes) == b"are you there"
    except ActorUnavailableError:
        return False


async def test_there_is_nothing_to_hit_where_nobody_is_connected(answering: _Answering) -> None:
    assert not await answering.hit(Target.STREAM, Action.CUT)


@pytest.mark.parametrize("node_id", ["a-node", "another-node"])
async def test_a_stream_that_is_cut_is_broken_at_once(answering: _Answering, node_id: str) -> None:
    stream = await answering.connect(node_id)
    assert await _answers(stream)
    assert await answering.hit(Target.STREAM, Action.CUT)
    assert not await _answers(stream)
    again = await answering.connect(node_id)
    assert await _answers(again)
    again.close()


@pytest.mark.parametrize("node_id", ["a-node", "another-node"])
@pytest.mark.parametrize("pick", [0.0, 0.9])
async def test_torn_bytes_are_never_taken_for_an_answer(
    answering: _Answering, node_id: str, pick: float
) -> None:
    stream = await answering.connect(node_id)
    wrong: list[bytes] = []

    async def ask_on() -> None:
        with contextlib.suppress(ActorUnavailableError):
            while True:
                sent = b"what was asked" * 100
                answer = await stream.request(sent, bytes)
                if answer != sent:
                    wrong.append(answer)

    asking = asyncio.create_task(ask_on())
    assert await answering.hit(Target.STREAM, Action.TEAR, pick=pick)
    await asking
    assert stream.broken
    assert wrong == []
    again = await answering.connect(node_id)
    assert await _answers(again)
    again.close()


async def test_a_delayed_stream_answers_late_but_all_and_outlives_the_delay(
    answering: _Answering,
) -> None:
    before = await answering.connect()
    delaying = await _delaying(answering, before)
    stream = await answering.connect()
    assert await _answer_s(stream) > 2 * _DELAY_S_MIN
    asked: list[bytes] = []
    answered: list[bytes] = []
    waiting = []
    while not delaying.done():
        asked.append(b"%d" % len(asked) * 100)
        waiting.append(stream.request(asked[-1], bytes))
        waiting[-1].add_done_callback(lambda done: answered.append(done.result()))
        await asyncio.wait([delaying], timeout=0.02)
    assert await delaying
    assert len(answered) < len(asked)
    await asyncio.gather(*waiting)
    assert answered == asked
    assert await _answer_s(stream) < _DELAY_S_MIN
    direct = await answering.connect()
    assert await _answer_s(direct) < _DELAY_S_MIN
    direct.close()


async def test_there_is_no_second_delay_and_none_of_a_stream_without_a_file(
    answering: _Answering,
) -> None:
    stream = await answering.connect("another-node")
    assert not await answering.hit(Target.STREAM, Action.DELAY)
    assert await _answers(stream)
    delaying = await _delaying(answering, await answering.connect())
    late = await answering.connect()
    assert not await answering.hit(Target.STREAM, Action.DELAY)
    assert await _answers(late)
    assert await delaying
    late.close()


async def test_a_delay_hides_no_death_and_leaves_what_a_killed_process_leaves(
    answering: _Answering,
) -> None:
    delaying = await _delaying(answering, await answering.connect())
    stream = await answering.connect()
    answering.process.kill()
    assert not await _answers(stream)
    assert await delaying
    folder = Path(answering.endpoint.path).parent
    assert [str(path) for path in folder.iterdir()] == [answering.endpoint.path]
    remove_stale(folder)
    assert folder not in folder.parent.iterdir()


async def test_a_stale_socket_file_is_passed_by(answering: _Answering) -> None:
    stream = await answering.connect()
    assert await answering.hit(Target.SOCKET_FILE, Action.STALE)
    assert not await _answers(stream)
    with socket.socket(socket.AF_UNIX) as refused, pytest.raises(ConnectionRefusedError):
        refused.connect(answering.endpoint.path)
    again = await answering.connect()
    assert await _answers(again)
    again.close()


async def test_a_port_is_taken_from_a_process_that_was_killed(answering: _Answering) -> None:
    stream = await answering.connect()
    address = (answering.endpoint.host, answering.endpoint.port)

    async def taken() -> bool:
        return not answering.process.is_running() and _is_taken(address)

    hitting = asyncio.create_task(answering.hit(Target.PORT, Action.TAKE))
    await until(taken, within_s=10, what="a port that somebody else has")
    assert not await _answers(stream)
    assert await hitting
    assert not _is_taken(address)


async def _delaying(answering: _Answering, stream: Stream) -> "asyncio.Task[bool]":
    """Begin a delay; return it as soon as it is in the way of new connections."""

    async def broken() -> bool:
        return stream.broken

    delaying = asyncio.create_task(answering.hit(Target.STREAM, Action.DELAY))
    await until(broken, within_s=5, what="a stream that has to be made anew")
    return delaying


async def _answer_s(stream: Stream) -> float:
    """Return how long one request takes."""
    began_s = time.monotonic()
    assert await _answers(stream)
    return time.monotonic() - began_s


def _is_taken(address: tuple[str, int]) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(address)
            probe.listen()
        except OSError:
            return True
    return False
