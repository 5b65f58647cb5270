"""Trading floor with two markets, and one gateway of it."""

from collections.abc import AsyncIterator

import pytest

from tests.beds.services import Floor, Services, trading_floor


@pytest.fixture
async def floor() -> AsyncIterator[Floor]:
    async with trading_floor() as floor:
        yield floor


@pytest.fixture
async def gateway(floor: Floor) -> AsyncIterator[Services]:
    async with floor.gateway() as services:
        yield services
