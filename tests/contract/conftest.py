"""One exchange with two gateway replicas for all tests of the contract but the failures'."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from actors.platform.config import Servers
from tests.beds.exchange import Exchange, open_exchange


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def exchange(
    stores: Servers, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Exchange]:
    """Three markets, two replicas, a log in memory."""
    folder = tmp_path_factory.mktemp("exchange")
    async with open_exchange(stores, folder, market_ids=(1, 2, 3), replicas=2) as running:
        yield running
