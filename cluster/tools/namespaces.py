"""Machines of their own in one: network namespaces on a bridge, with links that can be cut."""

import ctypes
import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import psutil

_CLONE_NEWNET = 0x40000000
_BRIDGE = "forkast"
_NETWORK = "10.83.0"
# What is left of a link that is slow: packets queue for up to two seconds, then they are lost.
_SLOW = ("rate", "512kbit", "burst", "5kb", "latency", "2000ms")


class Machine:
    """A network namespace with one link to the bridge."""

    def __init__(self, number: int) -> None:
        self._name = f"forkast-{os.getpid()}-{number}"
        self._port = f"port{number}"
        self.address = f"{_NETWORK}.{number + 1}"
        self.prefix = (shutil.which("ip") or "", "netns", "exec", self._name)
        self._cuts = self._slowings = 0

    def make(self) -> None:
        """Make the namespace and its link."""
        _ip("netns", "add", self._name)
        peer = ("peer", "name", "eth0", "netns", self._name)
        _ip("link", "add", self._port, "type", "veth", *peer)
        _ip("link", "set", self._port, "master", _BRIDGE, "up")
        inside = ("-n", self._name)
        _ip(*inside, "addr", "add", f"{self.address}/24", "dev", "eth0")
        _ip(*inside, "link", "set", "eth0", "up")
        _ip(*inside, "link", "set", "lo", "up")

    def remove(self) -> None:
        """Remove the namespace, and the link with it."""
        _ip("netns", "del", self._name)

    def processes(self) -> list[psutil.Process]:
        """Return what runs in the namespace."""
        found = []
        for number in map(int, _ip("netns", "pids", self._name).split()):
            with suppress(psutil.NoSuchProcess):
                found.append(psutil.Process(number))
        return found

    @contextmanager
    def cut(self) -> Iterator[None]:
        """Take the link away; nobody is told, packets are just gone. Cuts may overlap."""
        self._cuts += 1
        _ip("link", "set", self._port, "down")
        try:
            yield
        finally:
            self._cuts -= 1
            if not self._cuts:
                _ip("link", "set", self._port, "up")

    @contextmanager
    def slowed(self) -> Iterator[None]:
        """Delay and lose packets in both directions. Slow times may overlap."""
        self._slowings += 1
        self._shape("replace", "tbf", *_SLOW)
        try:
            yield
        finally:
            self._slowings -= 1
            if not self._slowings:
                self._shape("del")

    def _shape(self, verb: str, *how: str) -> None:
        _run("tc", "-n", self._name, "qdisc", verb, "dev", "eth0", "root", *how)
        _run("tc", "qdisc", verb, "dev", self._port, "root", *how)


class Network:
    """A network that only this process, its children and the machines on it can see."""

    host = f"{_NETWORK}.1"

    def __init__(self) -> None:
        self._machines: list[Machine] = []

    @staticmethod
    def possible() -> bool:
        """Say whether this machine and user may have one."""
        tools = all(shutil.which(tool) for tool in ("ip", "tc"))
        return os.geteuid() == 0 and tools

    def enter(self) -> None:
        """Leave the network of the system for good; call from the main thread, first of all.

        Raises OSError where that is not allowed.
        """
        system = ctypes.CDLL(None, use_errno=True)
        if system.unshare(_CLONE_NEWNET) != 0:
            raise OSError(ctypes.get_errno(), "no network namespace may be made here")
        _ip("link", "set", "lo", "up")
        _ip("link", "add", _BRIDGE, "type", "bridge")
        _ip("addr", "add", f"{self.host}/24", "dev", _BRIDGE)
        _ip("link", "set", _BRIDGE, "up")

    def machine(self) -> Machine:
        """Make a machine."""
        machine = Machine(len(self._machines) + 1)
        machine.make()
        self._machines.append(machine)
        return machine

    def remove(self) -> None:
        """Remove all machines; nothing may run on them any more."""
        while self._machines:
            self._machines.pop().remove()


def _ip(*arguments: str) -> str:
    return _run("ip", *arguments)


def _run(*command: str) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise OSError(f"{' '.join(command)}: {done.stderr.strip()}")
    return done.stdout
