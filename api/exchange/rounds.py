"""One question asked by many at once: those who ask meanwhile share the next round."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

_T = TypeVar("_T")


class Rounds(Generic[_T]):
    """Ask `question` for all who want its answer, one round at a time.

    Each gets the answer of a round that began after it asked, or that round's error.
    """

    def __init__(self, question: Callable[[], Awaitable[_T]]) -> None:
        self._question = question
        self._next: asyncio.Task[_T] | None = None
        self._running: asyncio.Task[_T] | None = None

    async def result(self) -> _T:
        """Return the answer of the next round."""
        if self._next is None:
            self._next = asyncio.create_task(self._round(self._running))
            self._next.add_done_callback(_fetch)
        return await asyncio.shield(self._next)

    async def _round(self, before: asyncio.Task[_T] | None) -> _T:
        if before is not None:
            await asyncio.wait({before})
        # From here on the question is put: who asks later needs a later round.
        self._running, self._next = self._next, None
        return await self._question()


def _fetch(done: asyncio.Task[_T]) -> None:
    # Whoever asked may have gone: an error that nobody fetched would be reported as lost.
    if not done.cancelled():
        done.exception()
