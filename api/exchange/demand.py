"""How many wait for what comes next: whoever serves them may rest while nobody does."""

import asyncio
from contextlib import suppress


class Demand:
    """Count those who wait, and wake their server when the first of them comes.

    `with demand:` waits for as long as its block.
    """

    def __init__(self) -> None:
        self._count = 0
        self._comes = asyncio.Event()

    def __enter__(self) -> None:
        self.begin()

    def __exit__(self, *_: object) -> None:
        self.end()

    @property
    def is_there(self) -> bool:
        """Say whether somebody waits."""
        return self._count > 0

    def begin(self) -> None:
        """Count one more who waits."""
        self._count += 1
        self._comes.set()

    def end(self) -> None:
        """Count one less."""
        self._count -= 1
        if self._count == 0:
            self._comes.clear()

    async def await_at_most(self, patience_s: float) -> None:
        """Return at once while somebody waits, else when somebody comes or after `patience_s`."""
        if self.is_there:
            return
        with suppress(TimeoutError):
            async with asyncio.timeout(patience_s):
                await self._comes.wait()
