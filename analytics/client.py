"""The candle actor seen from another process."""

from collections.abc import Awaitable
from typing import Protocol, TypeVar

from ray.exceptions import RayTaskError

from actors.platform.errors import CandlesUnavailableError, StorageUnavailableError
from actors.platform.messages import Candle
from actors.remote.actor import RemoteActor
from analytics.intervals import Interval
from analytics.messages import CandlesStatus, IndicatorSeries, LiveCandle, Ticker
from analytics.ports import CandlesInterface

CANDLES_NAME = "candles"

_T = TypeVar("_T")


class CandleSource(Protocol):
    """Whoever answers about candles. Everything may raise CandlesUnavailableError.

    Times are seconds since the epoch. A pair that the actor does not know counts as unavailable:
    whoever asks knows the markets, and an actor that was restarted is told of later ones again.
    """

    async def candles(
        self, *, pair: str, interval: Interval, limit: int, before_s: int | None, now_s: int
    ) -> list[Candle]:
        """Return the newest `limit` windows that opened before `before_s`, oldest first."""
        ...

    async def indicators(
        self,
        *,
        pair: str,
        interval: Interval,
        names: list[str],
        limit: int,
        before_s: int | None,
        now_s: int,
    ) -> IndicatorSeries:
        """Return the indicators of these names at the candles that `candles` would answer."""
        ...

    async def live(self, *, pair: str, interval: Interval) -> LiveCandle | None:
        """Return the newest second and the window that holds it, None before the first trade."""
        ...

    async def seconds(self, *, pair: str, since_s: int, limit: int) -> list[Candle] | None:
        """Return the first `limit` seconds with trades from `since_s` on, oldest first.

        None where they are not at hand so far back.
        """
        ...

    async def ticker(self, *, pair: str, now_s: int) -> Ticker | None:
        """Return the 24 hours up to `now_s`, None before the first trade."""
        ...


class RemoteCandles:
    """The `CandleSource` that is the actor `candles` of a namespace; needs an initialised Ray."""

    def __init__(self, *, namespace: str, timeout_s: float = 5.0) -> None:
        self._actor: RemoteActor[CandlesInterface] = RemoteActor(
            name=CANDLES_NAME,
            namespace=namespace,
            timeout_s=timeout_s,
            unavailable=CandlesUnavailableError,
        )

    async def candles(
        self, *, pair: str, interval: Interval, limit: int, before_s: int | None, now_s: int
    ) -> list[Candle]:
        """Return the newest `limit` windows that opened before `before_s`, oldest first."""
        return await _answered(
            self._actor.call(CandlesInterface.candles, pair, interval.value, limit, before_s, now_s)
        )

    async def indicators(
        self,
        *,
        pair: str,
        interval: Interval,
        names: list[str],
        limit: int,
        before_s: int | None,
        now_s: int,
    ) -> IndicatorSeries:
        """Return the indicators of these names at the candles that `candles` would answer."""
        return await _answered(
            self._actor.call(
                CandlesInterface.indicators, pair, interval.value, names, limit, before_s, now_s
            )
        )

    async def live(self, *, pair: str, interval: Interval) -> LiveCandle | None:
        """Return the newest second and the window that holds it, None before the first trade."""
        return await _answered(self._actor.call(CandlesInterface.live, pair, interval.value))

    async def seconds(self, *, pair: str, since_s: int, limit: int) -> list[Candle] | None:
        """Return the first `limit` seconds with trades from `since_s` on, oldest first."""
        return await _answered(self._actor.call(CandlesInterface.seconds, pair, since_s, limit))

    async def ticker(self, *, pair: str, now_s: int) -> Ticker | None:
        """Return the 24 hours up to `now_s`, None before the first trade."""
        return await _answered(self._actor.call(CandlesInterface.ticker, pair, now_s))

    async def ping(self) -> None:
        """Return when the actor answers."""
        await self._actor.call(CandlesInterface.ping)

    async def status(self) -> CandlesStatus:
        """Return how the actor stands."""
        return await self._actor.call(CandlesInterface.status)


async def _answered(answer: Awaitable[_T]) -> _T:
    """Await an answer: without its storage, or not told of the pair, the actor counts as away."""
    try:
        return await answer
    except RayTaskError as error:
        if isinstance(error, StorageUnavailableError):
            raise CandlesUnavailableError(str(error.cause)) from error
        if isinstance(error, KeyError):
            raise CandlesUnavailableError(f"it does not know {error.cause} yet") from error
        raise
