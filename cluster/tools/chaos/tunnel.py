"""Delay of TCP ports of a machine: their packets go to a device whose other end is this program.

A program of its own, run on the machine, since a device belongs to the network of who opens it:
`tunnel.py FIRST LAST THERE_S BACK_S`, until its input ends. It says so when the delay has begun.
"""

import asyncio
import fcntl
import os
import struct
import subprocess
import sys
from pathlib import Path

_DEVICE = "late"
_TUNSETIFF = 0x400454CA
# A device of IP packets, without a header of its own.
_TUN = 0x0001 | 0x1000
_TABLE = "83"
_PACKET_BYTES_MAX = 65_536
_IPV4 = Path("/proc/sys/net/ipv4")
_SETTINGS = {
    "ip_forward": "1",
    # A connection remembers its way in; it has to be looked up for every packet.
    "tcp_early_demux": "0",
    "conf/all/rp_filter": "0",
    f"conf/{_DEVICE}/rp_filter": "0",
    f"conf/{_DEVICE}/accept_local": "1",
}
# What comes out of the device goes where it would have gone; local addresses are looked up after
# the rules that lead into it.
_AROUND: tuple[tuple[str, ...], ...] = (
    ("50", "iif", _DEVICE, "lookup", "local"),
    ("51", "iif", _DEVICE, "lookup", "main"),
    ("200", "lookup", "local"),
)


def main(first: str, last: str, there_s: str, back_s: str) -> None:
    """Delay until the input ends."""
    ports = range(int(first), int(last) + 1)
    device = _open()
    _ip("link", "set", _DEVICE, "up")
    for name, value in _SETTINGS.items():
        (_IPV4 / name).write_text(value)
    _ip("route", "add", "default", "dev", _DEVICE, "table", _TABLE)
    into: tuple[tuple[str, ...], ...] = tuple(
        (pref, "iif", link, "ipproto", "tcp", port, f"{first}-{last}", "lookup", _TABLE)
        for pref, link, port in (("100", "lo", "sport"), ("101", "eth0", "dport"))
    )
    local = ("0", "lookup", "local")
    for rule in _AROUND:
        _rule("add", rule)
    _rule("del", local)
    for rule in into:
        _rule("add", rule)
    try:
        asyncio.run(_delay(device, ports, there_s=float(there_s), back_s=float(back_s), into=into))
    finally:
        _rule("add", local)
        for rule in _AROUND:
            _rule("del", rule)


async def _delay(
    device: int, ports: range, *, there_s: float, back_s: float, into: tuple[tuple[str, ...], ...]
) -> None:
    """Put each packet back at its time; let go of what is under way last."""
    loop = asyncio.get_running_loop()

    def take() -> None:
        packet = os.read(device, _PACKET_BYTES_MAX)
        header_bytes = (packet[0] & 0x0F) * 4
        (to_port,) = struct.unpack_from("!H", packet, header_bytes + 2)
        loop.call_later(there_s if to_port in ports else back_s, os.write, device, packet)

    loop.add_reader(device, take)
    sys.stdout.write("delayed\n")
    sys.stdout.flush()
    await asyncio.to_thread(sys.stdin.read)
    for rule in into:
        _rule("del", rule)
    await asyncio.sleep(max(there_s, back_s))
    loop.remove_reader(device)


def _open() -> int:
    """Make the device; it is gone when this program is."""
    device = os.open("/dev/net/tun", os.O_RDWR)
    fcntl.ioctl(device, _TUNSETIFF, struct.pack("16sH22x", _DEVICE.encode(), _TUN))
    return device


def _rule(verb: str, rule: tuple[str, ...]) -> None:
    _ip("rule", verb, "pref", *rule)


def _ip(*arguments: str) -> None:
    subprocess.run(["ip", *arguments], check=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
