"""A router that waits for its broker: started in the background, made anew until it runs."""

import asyncio
from collections.abc import Callable

import structlog
from tenacity import AsyncRetrying, RetryCallState, retry_if_exception_type, wait_fixed

from actors.platform.errors import LogError
from actors.platform.messages import PairLag
from actors.router.router import OrderRouter

_log = structlog.get_logger(__name__)
_PAUSE_S = 0.5


class PatientRouter:
    """Keep one `OrderRouter` of `make` starting, then running; well in both states."""

    def __init__(self, make: Callable[[], OrderRouter]) -> None:
        self._make = make
        self._router = make()
        self._starting = asyncio.create_task(self._start(), name="router start")

    def check_health(self) -> None:
        """Raise RuntimeError when the router has to be replaced."""
        if self._starting.done() and (error := self._starting.exception()):
            raise RuntimeError(f"the router did not start: {error!r}")
        self._router.check_health()

    async def started(self) -> None:
        """Return when the router runs."""
        await asyncio.shield(self._starting)

    def lags(self) -> dict[str, PairLag]:
        """Return what was measured last, by pair; nothing before the start."""
        return self._router.lags()

    async def stop(self) -> None:
        """End the start or the router."""
        self._starting.cancel()
        await asyncio.gather(self._starting, return_exceptions=True)
        await self._router.stop()

    async def _start(self) -> None:
        async for attempt in AsyncRetrying(
            retry=retry_if_exception_type(LogError), wait=wait_fixed(_PAUSE_S), before_sleep=_tell
        ):
            with attempt:
                await self._attempt()

    async def _attempt(self) -> None:
        try:
            await self._router.start()
        except LogError:
            await self._router.stop()
            self._router = self._make()
            raise


def _tell(state: RetryCallState) -> None:
    failure = state.outcome.exception() if state.outcome else None
    _log.warning("router_waits", why=str(failure))
