"""Changed candles and the consumer's positions: one connection, one transaction per flush."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Self

import asyncpg
import numpy as np
import numpy.typing as npt
import polars as pl

from actors.book.market import INT64_MAX
from actors.follow.connection import connect, disconnect
from actors.follow.copy_format import BIGINT, INTEGER, CopyLayout, copy_rows
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

_KEY = {"market_id": INTEGER, "open_time_s": BIGINT}
_VALUES = {
    "open_ticks": BIGINT,
    "high_ticks": BIGINT,
    "low_ticks": BIGINT,
    "close_ticks": BIGINT,
    "volume_lots": BIGINT,
    "trade_count": BIGINT,
    "last_sequence": BIGINT,
}
# A notional may pass 64 bits, and the binary form of numeric is intricate: it travels as text.
CANDLE_LAYOUT = CopyLayout(_KEY | _VALUES, text="notional")

_TEMPORARY = f"""
CREATE TEMPORARY TABLE staged_candles ON COMMIT DELETE ROWS AS
    SELECT {", ".join(_KEY | _VALUES)}, notional::text AS notional FROM candles_1s WITH NO DATA
"""  # noqa: S608

_MERGE = f"""
INSERT INTO candles_1s ({", ".join(_KEY | _VALUES)}, notional)
SELECT {", ".join(_KEY | _VALUES)}, notional::numeric FROM staged_candles
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
        connection = await connect(url, settings=_SESSION, temporary=_TEMPORARY)
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
            await copy_rows(
                self._connection,
                "staged_candles",
                candle_payload([one for candles in changed.values() for one in candles]),
                columns=CANDLE_LAYOUT.columns,
            )
            await self._connection.execute(_MERGE)


def candle_payload(candles: Sequence[Candle]) -> bytes:
    """Return the COPY payload (`CANDLE_LAYOUT`) of candles.

    A second's volume beyond 64 bits, which no market's limits make likely, stays at the largest
    number that the column holds.
    """
    columns: dict[str, npt.NDArray[np.generic]] = {
        column: np.array([min(getattr(candle, column), INT64_MAX) for candle in candles], np.int64)
        for column in _KEY | _VALUES
    }
    columns["notional"] = np.array([str(candle.notional) for candle in candles], "S")
    return CANDLE_LAYOUT.encode(columns)
