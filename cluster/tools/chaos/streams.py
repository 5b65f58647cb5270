"""Faults of the streams between routers and pairs' actors, done from outside both."""

import asyncio
import contextlib
import random
import secrets
import signal
import socket
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psutil

from actors.stream.endpoint import socket_folder
from cluster.tools.chaos.delays import delayed, delayed_ports
from cluster.tools.chaos.plan import Action, Fault
from cluster.tools.chaos.signals import frozen, send
from cluster.tools.chaos.sockets import sockets_of
from cluster.tools.namespaces import Machine

# How long a router waits for an actor that is silent, and some more.
_SILENT_S = (10.0, 13.0)
_TORN_BYTES_MAX = 64
# What each byte takes in each direction, and for how long: a new connection shakes hands first.
_DELAY_S = (0.2, 1.5)
_DELAYED_S = (5.0, 10.0)
# An actor is stopped for so long that requests lie before it.
_GATHER_S = 0.2


@dataclass(frozen=True, kw_only=True, slots=True)
class _Streams:
    """One actor's sockets: those that accept, and the connections with routers."""

    listening: list[socket.socket]
    connections: list[socket.socket]

    @property
    def address(self) -> tuple[str, int] | None:
        """Return where it accepts connections of other nodes."""
        found = [one for one in self.listening if one.family != socket.AF_UNIX]
        return found[0].getsockname()[:2] if found else None

    @property
    def local(self) -> bool:
        """Say whether a router is connected on the actor's own node."""
        return any(one.family == socket.AF_UNIX for one in self.connections)

    @property
    def path(self) -> Path | None:
        """Return the socket file."""
        found = [one for one in self.listening if one.family == socket.AF_UNIX]
        return Path(found[0].getsockname()) if found else None


async def break_stream(
    process: psutil.Process, fault: Fault, *, ports: range, machine: Machine | None = None
) -> bool:
    """Do a fault to an actor's streams; say whether there was one.

    `ports` are those at which actors accept, `machine` is the actor's where it has one of its own.
    Raises psutil.NoSuchProcess.
    """
    with _streams(process, ports) as streams:
        if not streams.connections:
            return False
        match fault.action:
            case Action.CUT:
                _cut(streams)
            case Action.TEAR:
                await _tear(process, streams, answers=fault.pick < 0.5)
            case Action.SILENCE:
                with frozen([process]):
                    await asyncio.sleep(_SILENT_S[0] + fault.pick * (_SILENT_S[1] - _SILENT_S[0]))
            case Action.DELAY:
                return await _delay(streams, ports, machine, random.Random(fault.pick))
            case Action.STALE:
                _make_stale(streams)
            case Action.TAKE:
                await _take_port(process, streams, fault.lasts_s)
    return True


def _cut(streams: _Streams) -> None:
    """End the connections for both sides."""
    for one in streams.connections:
        with contextlib.suppress(OSError):
            one.shutdown(socket.SHUT_RDWR)


async def _tear(process: psutil.Process, streams: _Streams, *, answers: bool) -> None:
    """Put bytes among the answers that are none, or take some out of the requests.

    Where no request lies before the actor there is nothing to take, and bytes are put.
    """
    for one in streams.connections:
        taken = b""
        if not answers:
            with frozen([process]):
                await asyncio.sleep(_GATHER_S)
                with contextlib.suppress(OSError):
                    taken = one.recv(1 + secrets.randbelow(_TORN_BYTES_MAX), socket.MSG_DONTWAIT)
        if not taken:
            with contextlib.suppress(OSError):
                one.send(secrets.token_bytes(_TORN_BYTES_MAX), socket.MSG_DONTWAIT)


async def _delay(
    streams: _Streams, ports: range, machine: Machine | None, dice: random.Random
) -> bool:
    """Have bytes take longer, between routers and the actor; let none of them be lost."""
    there_s, back_s = dice.uniform(*_DELAY_S), dice.uniform(*_DELAY_S)
    path = streams.path
    if path is not None and streams.local:
        slow = delayed(path, there_s=there_s, back_s=back_s)
    elif machine is not None:
        slow = delayed_ports(machine, ports, there_s=there_s, back_s=back_s)
    else:
        return False
    async with slow as begun:
        if begun and streams.local:
            # Only what is connected anew comes through the relay.
            _cut(streams)
        _let_go(streams)
        if begun:
            await asyncio.sleep(dice.uniform(*_DELAYED_S))
        return begun


def _let_go(streams: _Streams) -> None:
    """Keep no socket open that the actor closes."""
    for one in (*streams.listening, *streams.connections):
        one.close()


def _make_stale(streams: _Streams) -> None:
    """Leave a socket's file that nobody accepts at, as a killed process does."""
    path = streams.path
    if path is not None:
        path.unlink(missing_ok=True)
        with socket.socket(socket.AF_UNIX) as left:
            left.bind(str(path))
    _cut(streams)


async def _take_port(process: psutil.Process, streams: _Streams, lasts_s: float) -> None:
    """Kill the actor and have its port before the next one."""
    address = streams.address
    send([process], signal.SIGKILL)
    if address is None:
        return
    with contextlib.suppress(psutil.TimeoutExpired):
        await asyncio.to_thread(process.wait, lasts_s)
    _let_go(streams)
    with socket.socket() as taken:
        taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        with contextlib.suppress(OSError):  # it is an address of another machine
            taken.bind(address)
            taken.listen()
            await asyncio.sleep(lasts_s)


@contextlib.contextmanager
def _streams(process: psutil.Process, ports: range) -> Iterator[_Streams]:
    folder = str(socket_folder())
    with sockets_of(process) as held:
        ours = [one for one in held if _is_stream(one, folder=folder, ports=ports)]
        yield _Streams(
            listening=[one for one in ours if _accepts(one)],
            connections=[one for one in ours if not _accepts(one)],
        )


def _is_stream(one: socket.socket, *, folder: str, ports: range) -> bool:
    name = one.getsockname()
    if one.family == socket.AF_UNIX:
        return str(name).startswith(f"{folder}/")
    return one.family in (socket.AF_INET, socket.AF_INET6) and name[1] in ports


def _accepts(one: socket.socket) -> bool:
    return bool(one.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN))
