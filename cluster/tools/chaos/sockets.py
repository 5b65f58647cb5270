"""Sockets of other processes, held beside them: what is done to one happens to its owner's.

The system lets root, and whoever may trace a process, have duplicates of its descriptors.
"""

import contextlib
import ctypes
import os
import socket
from collections.abc import Iterator
from pathlib import Path

import psutil

# The number of the system call is the same on every machine; Python has no name for it.
_PIDFD_GETFD = 438


def possible() -> bool:
    """Say whether this user may have other processes' sockets here."""
    return hasattr(os, "pidfd_open") and os.geteuid() == 0


@contextlib.contextmanager
def sockets_of(process: psutil.Process) -> Iterator[list[socket.socket]]:
    """Hold a duplicate of each of a process's sockets; closing them leaves the process its own.

    Raises psutil.NoSuchProcess.
    """
    try:
        handle = os.pidfd_open(process.pid)
    except ProcessLookupError as error:
        raise psutil.NoSuchProcess(process.pid) from error
    with contextlib.ExitStack() as held:
        held.callback(os.close, handle)
        yield [
            held.enter_context(socket.socket(fileno=duplicate))
            for number in _socket_numbers(process)
            if (duplicate := _duplicate(handle, number)) >= 0
        ]


def _socket_numbers(process: psutil.Process) -> list[int]:
    numbers = []
    for entry in Path(f"/proc/{process.pid}/fd").iterdir():
        with contextlib.suppress(FileNotFoundError):
            if str(entry.readlink()).startswith("socket:"):
                numbers.append(int(entry.name))
    return numbers


def _duplicate(handle: int, number: int) -> int:
    """Return the duplicate's number, -1 where the process has just closed its own."""
    system = ctypes.CDLL(None, use_errno=True)
    return int(system.syscall(_PIDFD_GETFD, handle, number, 0))
