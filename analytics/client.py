"""The candle actor seen from another process: found by name, Ray's errors turned into ours."""

import asyncio
from typing import Any, Protocol

import ray
from ray.actor import ActorHandle
from ray.exceptions import RayError, RayTaskError

from actors.platform.errors import CandlesUnavailableError, StorageUnavailableError
from actors.platform.messages import Candle
from analytics.intervals import Interval
from analytics.messages import CandlesStatus, IndicatorSeries, LiveCandle, Ticker

CANDLES_NAME = "candles"


class CandleSource(Protocol):
    """Whoever answers about candles. Everything may raise CandlesUnavailableError.

    Times are seconds since the epoch; an unknown pair is a KeyError.
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

    async def live(self, *, pair: str, interval: Interval, now_s: int) -> LiveCandle | None:
        """Return the open window and the newest second, None before the first trade."""
        ...

    async def ticker(self, *, pair: str, now_s: int) -> Ticker | None:
        """Return the 24 hours up to `now_s`, None before the first trade."""
        ...


class RemoteCandles:
    """The `CandleSource` that is the actor `candles` of a namespace; needs an initialised Ray."""

    def __init__(self, *, namespace: str, timeout_s: float = 5.0) -> None:
        self._namespace = namespace
        self._timeout_s = timeout_s
        self._handle: ActorHandle[Any] | None = None

    async def candles(
        self, *, pair: str, interval: Interval, limit: int, before_s: int | None, now_s: int
    ) -> list[Candle]:
        """Return the newest `limit` windows that opened before `before_s`, oldest first."""
        found: list[Candle] = await self._call(
            "candles", pair, interval.value, limit, before_s, now_s
        )
        return found

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
        found: IndicatorSeries = await self._call(
            "indicators", pair, interval.value, names, limit, before_s, now_s
        )
        return found

    async def live(self, *, pair: str, interval: Interval, now_s: int) -> LiveCandle | None:
        """Return the open window and the newest second, None before the first trade."""
        found: LiveCandle | None = await self._call("live", pair, interval.value, now_s)
        return found

    async def ticker(self, *, pair: str, now_s: int) -> Ticker | None:
        """Return the 24 hours up to `now_s`, None before the first trade."""
        found: Ticker | None = await self._call("ticker", pair, now_s)
        return found

    async def status(self) -> CandlesStatus:
        """Return how the actor stands."""
        status: CandlesStatus = await self._call("status")
        return status

    async def _call(self, method: str, *arguments: Any) -> Any:
        try:
            async with asyncio.timeout(self._timeout_s):
                if self._handle is None:
                    self._handle = await asyncio.to_thread(
                        ray.get_actor, CANDLES_NAME, self._namespace
                    )
                return await getattr(self._handle, method).remote(*arguments)
        except TimeoutError as error:
            self._handle = None
            raise CandlesUnavailableError(
                f"no {method} from the candle actor within {self._timeout_s:g} s"
            ) from error
        except RayTaskError as error:
            if isinstance(error, StorageUnavailableError):
                raise CandlesUnavailableError(str(error.cause)) from error
            raise
        except (ValueError, RayError) as error:
            self._handle = None
            raise CandlesUnavailableError(f"the candle actor does not answer: {error}") from error
