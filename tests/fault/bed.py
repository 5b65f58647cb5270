"""The platform that a campaign breaks: three pairs, two gateways, a quota under its data."""

import contextlib
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

from actors.config import Platform
from cluster.embedded.process import free_port
from cluster.markets import load_topology
from cluster.settings import load_settings
from tests import platforms
from tests.fault.plan import PROCESSES, Target
from tests.platforms import RunningPlatform

_PAIRS = ("AAA-USD", "BBB-USD", "CCC-USD")
_MARKET = """
[[markets]]
id = {id}
pair = "{pair}"
tick_size = "0.01"
lot_size = "0.0001"
max_price = "100000"
max_quantity = "1000"
"""
_QUOTA = "1200m"
_LIMITS = {
    # Snapshots that are taken often are read often.
    "FORKAST_LIMITS__SNAPSHOT_EVERY_COMMANDS": "200",
    "FORKAST_GATEWAY_REPLICAS": "2",
}


@contextlib.contextmanager
def broken_platform(
    folder: Path, *, brokers: int
) -> Iterator[tuple[RunningPlatform, Platform, tuple[Target, ...]]]:
    """Start a platform under `folder`; yield it, what it was made of, and what may be hit."""
    markets = folder / "markets.toml"
    markets.write_text(
        "".join(_MARKET.format(id=at, pair=pair) for at, pair in enumerate(_PAIRS, start=1))
    )
    data = folder / "data"
    with _quota(data) as bounded:
        environment = _LIMITS | {"FORKAST_KAFKA_BROKERS": str(brokers)}
        running = platforms.start(
            data,
            "--no-web",
            "--markets",
            str(markets),
            port=free_port(),
            environment=environment,
        )
        try:
            platform = load_settings().platform(
                servers=running.servers, topology=load_topology(markets), data=data
            )
            yield running, platform, _targets(brokers, bounded=bounded)
        finally:
            platforms.stop(running)


def _targets(brokers: int, *, bounded: bool) -> tuple[Target, ...]:
    leader = (Target.LEADER,) if brokers > 1 else ()
    return PROCESSES + leader + ((Target.DISK,) if bounded else ())


@contextlib.contextmanager
def _quota(folder: Path) -> Iterator[bool]:
    """Bound a folder by a file system of its own; say whether this machine allows it."""
    folder.mkdir(parents=True)
    mount = ["mount", "-t", "tmpfs", "-o", f"size={_QUOTA},mode=0755", "forkast", str(folder)]
    allowed = os.geteuid() == 0 and subprocess.run(mount, check=False, capture_output=True)
    if not allowed or allowed.returncode != 0:
        yield False
        return
    try:
        yield True
    finally:
        subprocess.run(["umount", str(folder)], check=True)
