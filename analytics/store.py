"""Changed candles and the consumer's positions: one connection, one transaction per flush."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Self

import asyncpg
import polars as pl

from actors.book.market import INT64_MAX
from actors.follow.connection import connect, disconnect
from actors.follow.positions import (
    MarketPosition,
    make_positions,
    move_positions,
    read_positions,
)
from actors.platform.messages import Candle
from actors.platform.topology import Topology
from analytics.history import newest_seconds

_SESSION = {
    "application_name": "forkast-candles",
    "synchronous_commit": "off",
    "jit": "off",
}

_KEY = {"market_id": "integer", "open_time_s": "bigint"}
_VALUES = {
    "open_ticks": "bigint",
    "high_ticks": "bigint",
    "low_ticks": "bigint",
    "close_ticks": "bigint",
    "volume_lots": "bigint",
    "trade_count": "bigint",
    "last_sequence": "bigint",
}
_NUMBERS = _KEY | _VALUES
# A notional may pass 64 bits: it travels as text.
_ARRAYS = ", ".join(f"${at}::{kind}[]" for at, kind in enumerate((*_NUMBERS.values(), "text"), 1))
_MERGE = f"""
INSERT INTO candles_1s ({", ".join(_NUMBERS)}, notional)
SELECT {", ".join(_NUMBERS)}, notional::numeric
FROM unnest({_ARRAYS}) AS changed({", ".join(_NUMBERS)}, notional)
ON CONFLICT (market_id, open_time_s) DO UPDATE
SET {", ".join(f"{column} = excluded.{column}" for column in (*_VALUES, "notional"))}
"""  # noqa: S608


@dataclass(frozen=True, slots=True)
class Restored:
    """What is stored: every market's position and its newest seconds, of one moment."""

    positions: tuple[MarketPosition, ...]
    candles: dict[int, pl.DataFrame]


class CandleStore:
    """The table `candles_1s` and the positions of one consumer, for one writing task."""

    def __init__(self, connection: asyncpg.Connection, *, consumer: str) -> None:
        self._connection = connection
        self._consumer = consumer

    @classmethod
    async def connect(cls, url: str, *, consumer: str) -> Self:
        """Open the connection. Raises OSError, TimeoutError and asyncpg's errors."""
        connection = await connect(url, settings=_SESSION)
        return cls(connection, consumer=consumer)

    async def close(self) -> None:
        """Close the connection."""
        await disconnect(self._connection)

    async def restore(self, topology: Topology, *, seconds: int) -> Restored:
        """Return the positions, and at most this many seconds of every market."""
        market_ids = [market.market_id for market in topology]
        await make_positions(self._connection, self._consumer, market_ids)
        async with self._connection.transaction(isolation="repeatable_read", readonly=True):
            stored = await read_positions(self._connection, self._consumer, market_ids)
            candles = {
                market_id: await newest_seconds(
                    self._connection, market_id=market_id, limit=seconds
                )
                for market_id in market_ids
            }
        return Restored(tuple(stored.values()), candles)

    async def write(
        self,
        changed: Mapping[int, Iterable[Candle]],
        *,
        before: Iterable[MarketPosition],
        after: Iterable[MarketPosition],
    ) -> None:
        """Write whole seconds by market, and the positions that they lead from and to.

        Raises PositionTakenError where the stored positions are not those in `before`.
        """
        async with self._connection.transaction():
            await move_positions(
                self._connection, self._consumer, before=tuple(before), after=tuple(after)
            )
            candles = [one for candles in changed.values() for one in candles]
            if candles:
                await self._connection.execute(_MERGE, *_columns(candles))


def _columns(candles: Sequence[Candle]) -> list[list[int] | list[str]]:
    """Return candles as the arrays of `_MERGE`.

    A second's volume beyond 64 bits, which no market's limits make likely, stays at the largest
    number that the column holds.
    """
    numbers: list[list[int] | list[str]] = [
        [min(getattr(candle, column), INT64_MAX) for candle in candles] for column in _NUMBERS
    ]
    return [*numbers, [str(candle.notional) for candle in candles]]
