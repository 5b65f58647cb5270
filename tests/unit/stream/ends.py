"""Both ends of streams for the room's tests: a real server, and ends that misbehave."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import msgspec

from actors.platform.errors import ActorUnavailableError
from actors.stream.client import Dialer, Stream
from actors.stream.endpoint import Endpoint
from actors.stream.frames import FrameKind, header
from actors.stream.handshake import (
    GREETING_BYTES,
    HELLO_BYTES,
    ID_BYTES,
    PROOF_BYTES,
    ClientHandshake,
    ServerHandshake,
)
from actors.stream.server import Handler
from actors.stream.thread import ServingThread

NODE = "this-node"
TOKEN = "the platform's token"

Writer = asyncio.StreamWriter
Reader = asyncio.StreamReader


class AwayError(ActorUnavailableError):
    """What the tests' clients raise of a peer that is away."""


def echo(payload: bytes) -> bytes:
    return payload


def dialer(*, token: str = TOKEN, timeout_s: float = 5.0, unanswered_max: int = 1_024) -> Dialer:
    return Dialer(
        token=token, timeout_s=timeout_s, unanswered_max=unanswered_max, unavailable=AwayError
    )


@asynccontextmanager
async def serving(handler: Handler, folder: Path) -> AsyncIterator[Endpoint]:
    """Answer on a thread, at a Unix socket of `folder` and at a port of loopback."""
    thread = ServingThread(handler, token=TOKEN, node_id=NODE, host="127.0.0.1", folder=folder)
    try:
        yield thread.endpoint
    finally:
        await asyncio.to_thread(thread.stop)


@asynccontextmanager
async def connected(
    endpoint: Endpoint, *, dialled: Dialer | None = None, node_id: str = NODE
) -> AsyncIterator[Stream]:
    """Be a client of an endpoint: of the same node unless told otherwise."""
    stream = await (dialled or dialer()).connect(endpoint, node_id=node_id)
    try:
        yield stream
    finally:
        stream.close()


@asynccontextmanager
async def peer(behave: Callable[[Reader, Writer], Awaitable[None]]) -> AsyncIterator[Endpoint]:
    """Accept connections as a server does, and then behave as a test wants it."""

    async def serve(reader: Reader, writer: Writer) -> None:
        handshake = ServerHandshake(TOKEN)
        writer.write(handshake.greeting())
        _, proof = handshake.admit(await reader.readexactly(HELLO_BYTES))
        writer.write(proof)
        try:
            await behave(reader, writer)
        finally:
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        yield Endpoint(
            node_id="another-node",
            path="",
            host="127.0.0.1",
            port=server.sockets[0].getsockname()[1],
        )
    finally:
        server.close()


@asynccontextmanager
async def raw_client(endpoint: Endpoint) -> AsyncIterator[tuple[Reader, Writer]]:
    """Be let in by a server, and then send whatever bytes a test wants."""
    reader, writer = await asyncio.open_connection(endpoint.host, endpoint.port)
    handshake = ClientHandshake(TOKEN, bytes(ID_BYTES))
    writer.write(handshake.hello(await reader.readexactly(GREETING_BYTES)))
    handshake.check(await reader.readexactly(PROOF_BYTES))
    try:
        yield reader, writer
    finally:
        writer.close()


def frame(kind: FrameKind, number: int, payload: bytes) -> bytes:
    return header(kind, number, payload) + payload


def without_file(endpoint: Endpoint) -> Endpoint:
    """Return an endpoint whose Unix socket is not there."""
    return msgspec.structs.replace(endpoint, path=f"{endpoint.path}.gone")
