"""Real servers for the whole session, started once and only when a test asks for them."""

import asyncio
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from actors.platform.config import Servers
from cluster.data.migrate import migrate
from cluster.data.topics import make_topics
from cluster.embedded.process import free_port
from cluster.embedded.servers import EmbeddedServers
from cluster.markets import default_topology
from cluster.plan import Platform
from cluster.tools import platforms
from cluster.tools.platforms import RunningPlatform
from tests.beds.leases import MarketLeases
from tests.beds.ray_fixture import ray_session

__all__ = ["leases", "platform", "ray_session", "running_platform", "servers", "stores"]

# How long an example takes says more of the machine than of the product.
settings.register_profile("untimed", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("untimed")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Run what shares the platform first, then its end; the rest has the machine for itself."""
    items.sort(key=_turn)


def _turn(item: pytest.Item) -> int:
    if "running_platform" not in getattr(item, "fixturenames", ()):
        return 2
    return 1 if item.get_closest_marker("ends_platform") else 0


@pytest.fixture(scope="session")
def stores() -> Iterator[Servers]:
    """Postgres and Valkey, with the schema and the default markets; no Kafka."""
    with tempfile.TemporaryDirectory(prefix="forkast-test-") as folder:
        embedded = EmbeddedServers(Path(folder), kafka=False)
        started = asyncio.run(embedded.start())
        try:
            asyncio.run(migrate(started.postgres_url, default_topology()))
            yield started
        finally:
            asyncio.run(embedded.stop())


@pytest.fixture(scope="session")
def servers(stores: Servers) -> Iterator[Servers]:
    """The stores, and Kafka with the topics of the default markets."""
    with tempfile.TemporaryDirectory(prefix="forkast-test-") as folder:
        embedded = EmbeddedServers(
            Path(folder), postgres_url=stores.postgres_url, redis_url=stores.redis_url
        )
        started = asyncio.run(embedded.start())
        try:
            asyncio.run(make_topics(started.kafka_bootstrap, default_topology()))
            yield started
        finally:
            asyncio.run(embedded.stop())


@pytest.fixture(scope="session")
def leases(servers: Servers) -> MarketLeases:
    """Markets on those servers that no other test has, beyond the default ones."""
    return MarketLeases(servers, taken=default_topology().partitions)


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
