"""One browser for the session, and users whom no other test knows."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator

import httpx
import pytest
import pytest_asyncio
from playwright.async_api import Browser, expect

from cluster.errors import ClusterError
from cluster.tools.browser import chromium
from cluster.tools.browser_setup import need_browser
from cluster.tools.platforms import RunningPlatform

# The platform, its load and the browser may share two busy processors.
expect.set_options(timeout=20_000)


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def browser() -> AsyncIterator[Browser]:
    """Chromium without a window; without one, each test fails in one line that says what to do."""
    try:
        await asyncio.to_thread(need_browser)
    except ClusterError as error:
        pytest.fail(str(error), pytrace=False)
    async with chromium() as running:
        yield running


@pytest.fixture
def new_user(running_platform: RunningPlatform) -> Iterator[Callable[[], int]]:
    """Make users; what they leave in the books is cancelled after the test."""
    made: list[int] = []

    def make() -> int:
        answer = httpx.post(f"{running_platform.url}/users", json={"name": "A trader"}, timeout=10)
        assert answer.status_code == 201, answer.text
        user_id: int = answer.json()["id"]
        made.append(user_id)
        return user_id

    yield make
    for user_id in made:
        answer = httpx.delete(
            f"{running_platform.url}/orders", params={"userId": user_id}, timeout=30
        )
        assert answer.is_success, answer.text
