"""Thousands of sockets in one process, which only count what they hear and how late it is.

They speak WebSocket, Engine.IO and Socket.IO as far as a listener must, over bare transports: a
client library would need more than the hub that is measured. A client's frames have to be masked;
with a mask of zeros the payload stays as it is.
"""

import asyncio
import time
from collections.abc import Sequence
from datetime import datetime
from multiprocessing.connection import Connection
from typing import cast

import msgspec
import uvloop

_CONNECTING_AT_ONCE = 100
_QUIET_S = 2.0
_PATIENCE_S = 60.0
_HANDSHAKE = (
    b"GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\nHost: 127.0.0.1\r\n"
    b"Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
    b"Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"
)
_TIME = b'"updatedAt":"'
_TIME_BYTES = len("2026-01-31T12:00:00.000000Z")
_TEXT, _PING = 1, 9
_PONG = 0x8A


class SocketLoad(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """How many sockets, and the pairs that they follow in turn."""

    port: int
    sockets: int
    pairs: Sequence[str]


class Heard(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What the sockets of one process have heard.

    `lags_ms` is of the oldest order in each read from a socket: from its event to the read.
    """

    by_pair: dict[str, list[int]]
    lags_ms: list[float]
    first_s: float
    last_s: float
    cpu_seconds: float
    lost: int


class _Ears:
    """What all sockets of this process have heard."""

    def __init__(self) -> None:
        self.lags_ms: list[float] = []
        self.first_s = 0.0
        self.last_s = 0.0
        self.lost = 0

    def hear(self, told: bytes) -> None:
        """Note one read that holds events; `told` is the time of its oldest order."""
        now_s = time.time()
        self.first_s = self.first_s or now_s
        self.last_s = now_s
        if told:
            moment = datetime.fromisoformat(told.decode()).timestamp()
            self.lags_ms.append((now_s - moment) * 1_000)


class _Socket(asyncio.Protocol):
    """One client that follows one pair."""

    def __init__(self, pair: str, ears: _Ears) -> None:
        self.pair = pair
        self.heard = 0
        self.follows: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._ears = ears
        self._rest = b""
        self._upgraded = False
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._transport.write(_HANDSHAKE)

    def connection_lost(self, exc: Exception | None) -> None:
        self._ears.lost += 1
        if not self.follows.done():
            self.follows.set_exception(exc or ConnectionError("the hub closed the connection"))

    def data_received(self, data: bytes) -> None:
        if self._rest:
            data = self._rest + data
        start = 0
        if not self._upgraded:
            start = data.find(b"\r\n\r\n") + 4
            if start < 4:
                self._rest = data
                return
            self._upgraded = True
        before = self.heard
        self._rest = data[self._frames(data, start) :]
        if self.heard > before:
            at = data.find(_TIME, start)
            at += len(_TIME)
            self._ears.hear(data[at : at + _TIME_BYTES] if at >= len(_TIME) else b"")

    def _frames(self, data: bytes, start: int) -> int:
        """Take all whole frames and return where they end."""
        size = len(data)
        while size - start >= 2:
            length, body = data[start + 1], start + 2
            if length == 126:
                length, body = int.from_bytes(data[body : body + 2], "big"), body + 2
            elif length == 127:
                length, body = int.from_bytes(data[body : body + 8], "big"), body + 8
            stop = body + length
            if stop > size:
                break
            if data[body : body + 2] == b"42":
                self.heard += 1
            else:
                self._answer(data[start] & 15, data[body:stop])
            start = stop
        return start

    def _answer(self, opcode: int, payload: bytes) -> None:
        if opcode == _PING:
            self._send(payload, first=_PONG)
        elif opcode == _TEXT and payload.startswith(b"0"):
            self._send(b"40")
        elif opcode == _TEXT and payload.startswith(b"40"):
            self._send(b'420["subscribe",{"room":"%b"}]' % self.pair.encode())
        elif opcode == _TEXT and payload.startswith(b"430"):
            self.follows.set_result(None)
        elif opcode == _TEXT and payload == b"2":
            self._send(b"3")

    def _send(self, payload: bytes, *, first: int = 0x81) -> None:
        assert self._transport is not None  # noqa: S101
        self._transport.write(bytes((first, 0x80 | len(payload), 0, 0, 0, 0)) + payload)


def run_sockets(load: SocketLoad, parent: Connection) -> None:
    """Connect, say so, listen until told to stop, and report; the entry of the process."""
    uvloop.run(_run(load, parent))


async def _run(load: SocketLoad, parent: Connection) -> None:
    ears = _Ears()
    gate = asyncio.Semaphore(_CONNECTING_AT_ONCE)
    loop = asyncio.get_running_loop()

    async def connect(number: int) -> _Socket:
        pair = load.pairs[number % len(load.pairs)]
        async with gate, asyncio.timeout(_PATIENCE_S):
            _, one = await loop.create_connection(
                lambda: _Socket(pair, ears), "127.0.0.1", load.port
            )
            await one.follows
        return one

    sockets = await asyncio.gather(*map(connect, range(load.sockets)))
    parent.send("connected")
    began_cpu_s = time.process_time()
    await asyncio.to_thread(parent.recv)
    # What is on its way when the hub has published the last record is heard as well.
    while True:
        left_s = ears.last_s + _QUIET_S - time.time()
        if left_s <= 0:
            break
        await asyncio.sleep(left_s)
    by_pair: dict[str, list[int]] = {pair: [] for pair in load.pairs}
    for one in sockets:
        by_pair[one.pair].append(one.heard)
    parent.send(
        Heard(
            by_pair=by_pair,
            lags_ms=ears.lags_ms,
            first_s=ears.first_s,
            last_s=ears.last_s,
            cpu_seconds=time.process_time() - began_cpu_s,
            lost=ears.lost,
        )
    )
