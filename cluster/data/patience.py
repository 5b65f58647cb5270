"""Questions to a broker that may be busy or just coming back, asked again for a while."""

from collections.abc import Awaitable, Callable
from typing import TypeVar

from tenacity import AsyncRetrying, retry_if_exception, stop_after_delay, wait_fixed

from actors.platform.errors import LogError

_T = TypeVar("_T")

PATIENCE_S = 30.0
_PAUSE_S = 0.2


def _may_succeed_later(error: BaseException) -> bool:
    return isinstance(error, LogError) and error.retryable


async def patiently(ask: Callable[[], Awaitable[_T]]) -> _T:
    """Return what a call answers; repeat it while its LogError says that it may succeed later.

    Raises the last LogError after `PATIENCE_S`.
    """
    async for attempt in AsyncRetrying(
        stop=stop_after_delay(PATIENCE_S),
        wait=wait_fixed(_PAUSE_S),
        retry=retry_if_exception(_may_succeed_later),
        reraise=True,
    ):
        with attempt:
            return await ask()
    raise AssertionError("the last attempt returns or raises")
