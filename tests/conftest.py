"""Real servers for the whole session, started once and only when a test asks for them."""

import asyncio
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from actors.platform.config import Servers
from cluster.data.migrate import migrate
from cluster.data.topics import make_topics
from cluster.embedded.process import free_port
from cluster.embedded.servers import EmbeddedServers
from cluster.markets import default_topology
from cluster.plan import Platform
from cluster.tools import platforms
from cluster.tools.platforms import RunningPlatform
from tests.beds.ray_fixture import ray_session

__all__ = ["platform", "ray_session", "running_platform", "servers"]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Run what shares the platform first, then its end; the rest has the machine for itself."""
    items.sort(key=_turn)


def _turn(item: pytest.Item) -> int:
    if "running_platform" not in getattr(item, "fixturenames", ()):
        return 2
    return 1 if item.get_closest_marker("ends_platform") else 0


@pytest.fixture(scope="session")
def servers() -> Iterator[Servers]:
    """Postgres, Valkey and Kafka with the schema, the default markets and their topics."""
    with tempfile.TemporaryDirectory(prefix="forkast-test-") as folder:
        embedded = EmbeddedServers(Path(folder))
        started = asyncio.run(_start(embedded))
        try:
            yield started
        finally:
            asyncio.run(embedded.stop())


@pytest.fixture(scope="session")
def platform(servers: Servers, tmp_path_factory: pytest.TempPathFactory) -> Platform:
    """The default markets on the session's servers, snapshots in a folder of their own."""
    return Platform(
        servers=servers,
        topology=default_topology(),
        data_directory=str(tmp_path_factory.mktemp("platform")),
        operator_token="test-operator",
    )


@pytest.fixture(scope="session")
def running_platform() -> Iterator[RunningPlatform]:
    """A platform with two gateways, its own servers and the default markets, from `forkast up`.

    The last test that asks for it ends it: nothing of it may be left.
    """
    with tempfile.TemporaryDirectory(prefix="forkast-test-") as folder:
        environment = {"FORKAST_GATEWAY_REPLICAS": "2"}
        started = platforms.start(Path(folder) / "data", port=free_port(), environment=environment)
        try:
            yield started
        finally:
            if started.process.poll() is None:
                platforms.stop(started)


async def _start(embedded: EmbeddedServers) -> Servers:
    servers = await embedded.start()
    try:
        topology = default_topology()
        await asyncio.gather(
            migrate(servers.postgres_url, topology),
            make_topics(servers.kafka_bootstrap, topology),
        )
    except BaseException:
        await embedded.stop()
        raise
    return servers
