"""Ending background tasks for sure."""

import asyncio
from collections.abc import Iterable
from typing import Any

_AGAIN_S = 1.0


async def end(tasks: Iterable[asyncio.Task[Any]], *, again_s: float = _AGAIN_S) -> None:
    """Cancel tasks and return when all have ended, whatever they ended with.

    Those that go on are cancelled again after `again_s`: before Python 3.12 `asyncio.wait_for`,
    through which redis-py writes, swallows a cancel that comes with its answer.
    """
    ended = list(tasks)
    pending = set(ended)
    while pending:
        for task in pending:
            task.cancel()
        _, pending = await asyncio.wait(pending, timeout=again_s)
    await asyncio.gather(*ended, return_exceptions=True)
