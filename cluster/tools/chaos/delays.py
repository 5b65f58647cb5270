"""Delays of streams: a relay in the place of a socket's file, a tunnel in the way of TCP ports."""

import asyncio
import contextlib
import os
import secrets
import sys
from collections.abc import AsyncIterator
from pathlib import Path

from cluster.tools.chaos import tunnel
from cluster.tools.namespaces import Machine

_CHUNK_BYTES = 65_536
# As many requests as a stream has without an answer; beyond that the sender waits.
_CHUNKS_MAX = 1_024


@contextlib.asynccontextmanager
async def delayed(path: Path, *, there_s: float, back_s: float) -> AsyncIterator[bool]:
    """Delay what is sent over connections that are made to a socket's file meanwhile.

    Each byte takes `there_s` to the process that accepts at `path` and `back_s` from it, in its
    order; none is lost, and many may be under way. At the end all that is under way arrives at
    once, new connections are direct again, and those that were made meanwhile live on without
    delay for as long as this loop runs. Yields False, and delays nothing, where another delay has
    the file, or there is none.
    """
    relay = _Relay(path.with_suffix(".held"), there_s=there_s, back_s=back_s)
    try:
        os.link(path, relay.real)
    except (FileExistsError, FileNotFoundError):
        yield False
        return
    # Bound under another name first: at no moment is there no file to connect to.
    ours = path.with_suffix(f".{secrets.token_hex(4)}")
    server = await asyncio.start_unix_server(relay.carry, ours, limit=_CHUNK_BYTES)
    made = ours.stat()
    ours.chmod(0o600)
    ours.rename(path)
    try:
        yield True
    finally:
        relay.over.set()
        _give_back(path, relay.real, made)
        server.close()


@contextlib.asynccontextmanager
async def delayed_ports(
    machine: Machine, ports: range, *, there_s: float, back_s: float
) -> AsyncIterator[bool]:
    """Delay what other machines send to TCP ports of this one, and what it sends from them.

    Each packet takes longer, and no connection ends. Yields False, and delays nothing, where
    another delay is on the machine or the machine is just lost.
    """
    process = await asyncio.create_subprocess_exec(
        *machine.prefix,
        *(sys.executable, "-I", "-S", tunnel.__file__, str(ports[0]), str(ports[-1])),
        *(str(there_s), str(back_s)),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        yield bool(process.stdout and await process.stdout.readline())
    finally:
        if process.stdin:
            process.stdin.close()
        await process.wait()


class _Relay:
    """Both ways of every connection to a file, each byte at its time."""

    def __init__(self, real: Path, *, there_s: float, back_s: float) -> None:
        self.real = real
        self.over = asyncio.Event()
        self._there_s = there_s
        self._back_s = back_s

    async def carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Carry one connection until either end closes it and the other one has heard of it."""
        try:
            answers, requests = await asyncio.open_unix_connection(self.real, limit=_CHUNK_BYTES)
        except OSError:
            writer.close()
            return
        ways = (
            asyncio.create_task(self._way(reader, requests, self._there_s)),
            asyncio.create_task(self._way(answers, writer, self._back_s)),
        )
        try:
            await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for way in ways:
                way.cancel()
            await asyncio.gather(*ways, return_exceptions=True)
            for end in (requests, writer):
                end.close()

    async def _way(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, delay_s: float
    ) -> None:
        """Deliver what is read in its order, `delay_s` later."""
        under_way: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue(_CHUNKS_MAX)
        reading = asyncio.create_task(_read(reader, under_way, delay_s))
        try:
            with contextlib.suppress(OSError):
                while True:
                    due_s, data = await under_way.get()
                    await self._until(due_s)
                    if not data:
                        return
                    writer.write(data)
                    await writer.drain()
        finally:
            reading.cancel()
            await asyncio.gather(reading, return_exceptions=True)

    async def _until(self, due_s: float) -> None:
        """Wait for a time of the loop's clock, or for the delay's end."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout_at(due_s):
                await self.over.wait()


async def _read(
    reader: asyncio.StreamReader, under_way: asyncio.Queue[tuple[float, bytes]], delay_s: float
) -> None:
    """Note what arrives with the time at which it is due; no bytes are the end."""
    now_s = asyncio.get_running_loop().time
    data = b"-"
    while data:
        try:
            data = await reader.read(_CHUNK_BYTES)
        except OSError:
            data = b""
        await under_way.put((now_s() + delay_s, data))


def _give_back(path: Path, real: Path, made: os.stat_result) -> None:
    """Have the real file where the relay's is; leave whatever took the relay's place."""
    with contextlib.suppress(FileNotFoundError):
        if os.path.samestat(path.stat(), made):
            real.rename(path)
    real.unlink(missing_ok=True)
