"""One exchange with two gateway replicas for all tests of the contract."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from actors.platform.config import Servers
from tests.beds.exchange import Exchange, open_exchange


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def exchange(
    servers: Servers, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Exchange]:
    """Three markets, two replicas."""
    async with open_exchange(servers, tmp_path_factory.mktemp("exchange"), replicas=2) as running:
        yield running
