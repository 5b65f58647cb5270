"""Waiting for what happens elsewhere, with a deadline and a name."""

import asyncio
from collections.abc import Awaitable, Callable


async def until(
    condition: Callable[[], Awaitable[object]], *, within_s: float = 30.0, what: str
) -> None:
    """Poll until the condition holds; fail where it does not in time."""
    try:
        async with asyncio.timeout(within_s):
            while not await condition():  # noqa: ASYNC110 - the condition lives in a server
                await asyncio.sleep(0.02)
    except TimeoutError:
        raise AssertionError(f"not within {within_s:g} s: {what}") from None
