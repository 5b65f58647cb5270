"""A machine that echoes at two ports, of which one is delayed: says how long answers take.

Run as a program, since it leaves the system's network.
"""

import asyncio
import json
import subprocess
import sys
import time

from cluster.tools.chaos.delays import delayed_ports
from cluster.tools.namespaces import Machine, Network

_PORTS = range(31_100, 31_110)
_DELAYED, _OTHER = 31_105, 31_200
_LARGE = bytes(range(256)) * 4_000
_ECHO = """
import socketserver, sys, threading
class Echo(socketserver.BaseRequestHandler):
    def handle(self):
        while data := self.request.recv(65_536):
            self.request.sendall(data)
for port in sys.argv[2:]:
    server = socketserver.ThreadingTCPServer((sys.argv[1], int(port)), Echo)
    threading.Thread(target=server.serve_forever, daemon=True).start()
print("listens", flush=True)
sys.stdin.read()
"""


class _Connection:
    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    async def echoed_s(self, sent: bytes = b"?") -> float:
        """Return how long it takes to have bytes back."""
        began_s = time.monotonic()
        self._writer.write(sent)
        if await self._reader.readexactly(len(sent)) != sent:
            raise ValueError("other bytes came back")
        return time.monotonic() - began_s


async def _connect(machine: Machine, port: int) -> _Connection:
    return _Connection(*await asyncio.open_connection(machine.address, port))


async def _told(machine: Machine) -> dict[str, float]:
    one, other = await _connect(machine, _DELAYED), await _connect(machine, _OTHER)
    told = {"before_s": await one.echoed_s()}
    async with delayed_ports(machine, _PORTS, there_s=0.3, back_s=0.6) as told["begun"]:
        told["during_s"] = await one.echoed_s()
        told["anew_s"] = await (await _connect(machine, _DELAYED)).echoed_s()
        told["other_s"] = await other.echoed_s()
        large = asyncio.create_task(one.echoed_s(_LARGE))
        async with delayed_ports(machine, _PORTS, there_s=1.0, back_s=1.0) as told["twice"]:
            told["large_s"] = await large
    told["after_s"] = await one.echoed_s()
    async with delayed_ports(machine, _PORTS, there_s=0.2, back_s=0.2):
        told["again_s"] = await one.echoed_s()
    return told


def main() -> None:
    """Print what was measured, in seconds, as JSON."""
    network = Network()
    network.enter()
    machine = network.machine()
    command = [*machine.prefix, sys.executable, "-c", _ECHO, machine.address]
    try:
        with subprocess.Popen(
            [*command, str(_DELAYED), str(_OTHER)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        ) as echo:
            if echo.stdout:
                echo.stdout.readline()
            sys.stdout.write(json.dumps(asyncio.run(_told(machine))))
            echo.kill()
    finally:
        network.remove()


if __name__ == "__main__":
    main()
