"""Changed candles and the consumer's positions: one connection, one transaction per flush."""

import re
from collections.abc import AsyncIterator, Iterable, Mapping
from dataclasses import dataclass
from typing import Self

import asyncpg
import numpy as np
import polars as pl

from actors.book.market import INT64_MAX
from actors.follow.copy_format import BIGINT, INTEGER, CopyLayout
from actors.follow.positions import MarketPosition
from actors.platform.errors import PositionTakenError
from actors.platform.topology import Topology
from analytics.history import newest_seconds

_CONNECT_TIMEOUT_S = 10
_COMMAND_TIMEOUT_S = 30
_PIECE_BYTES = 512 * 1024

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

_MAKE_POSITIONS = """
INSERT INTO consumer_positions
    (consumer, market_id, next_offset, last_sequence, commands_offset)
SELECT $1, market_id, 0, 0, 0 FROM unnest($2::integer[]) AS market_id
ON CONFLICT DO NOTHING
"""

_READ_POSITIONS = """
SELECT market_id, next_offset, last_sequence, commands_offset
FROM consumer_positions WHERE consumer = $1 AND market_id = ANY($2::integer[])
"""

_MOVE_POSITIONS = """
UPDATE consumer_positions AS stored
SET next_offset = moved.next_offset, last_sequence = moved.last_sequence,
    commands_offset = moved.commands_offset
FROM unnest($2::integer[], $3::bigint[], $4::bigint[], $5::bigint[], $6::bigint[])
    AS moved(market_id, next_offset, last_sequence, commands_offset, old_offset)
WHERE stored.consumer = $1 AND stored.market_id = moved.market_id
  AND stored.next_offset = moved.old_offset
"""


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
        connection = await asyncpg.connect(
            url,
            timeout=_CONNECT_TIMEOUT_S,
            command_timeout=_COMMAND_TIMEOUT_S,
            server_settings={
                "application_name": "forkast-candles",
                "synchronous_commit": "off",
                "jit": "off",
            },
        )
        try:
            await connection.execute(_TEMPORARY)
        except BaseException:
            connection.terminate()
            raise
        return cls(connection, consumer=consumer)

    async def close(self) -> None:
        """Close the connection, at once where the server does not answer."""
        try:
            await self._connection.close(timeout=2)
        except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError):
            self._connection.terminate()

    async def restore(self, topology: Topology, *, seconds: int) -> Restored:
        """Return the positions, and at most this many seconds of every market."""
        market_ids = [market.market_id for market in topology]
        await self._connection.execute(_MAKE_POSITIONS, self._consumer, market_ids)
        async with self._connection.transaction(isolation="repeatable_read", readonly=True):
            rows = await self._connection.fetch(_READ_POSITIONS, self._consumer, market_ids)
            candles = {
                market_id: await newest_seconds(
                    self._connection, market_id=market_id, limit=seconds
                )
                for market_id in market_ids
            }
        return Restored(tuple(MarketPosition(**dict(row)) for row in rows), candles)

    async def write(
        self,
        changed: Mapping[int, pl.DataFrame],
        *,
        before: Iterable[MarketPosition],
        after: Iterable[MarketPosition],
    ) -> None:
        """Write whole seconds by market, and the positions that they lead from and to.

        Raises PositionTakenError where the stored positions are not those in `before`.
        """
        async with self._connection.transaction():
            await self._move_positions(tuple(before), tuple(after))
            payload = candle_payload(changed)
            await self._connection.copy_to_table(
                "staged_candles",
                source=_pieces(payload),
                columns=CANDLE_LAYOUT.columns,
                format="binary",
            )
            await self._connection.execute(_MERGE)

    async def _move_positions(
        self, before: tuple[MarketPosition, ...], after: tuple[MarketPosition, ...]
    ) -> None:
        status = await self._connection.execute(
            _MOVE_POSITIONS,
            self._consumer,
            [position.market_id for position in after],
            [position.next_offset for position in after],
            [position.last_sequence for position in after],
            [position.commands_offset for position in after],
            [position.next_offset for position in before],
        )
        moved = re.fullmatch(r"UPDATE (\d+)", status)
        if moved is None or int(moved.group(1)) != len(after):
            raise PositionTakenError(f"another process has moved the position of {self._consumer}")


def candle_payload(changed: Mapping[int, pl.DataFrame]) -> bytes:
    """Return the COPY payload (`CANDLE_LAYOUT`) of candles by market.

    A second's volume beyond 64 bits, which no market's limits make likely, stays at the largest
    number that the column holds.
    """
    frames = [
        frame.with_columns(pl.lit(market_id, pl.Int64).alias("market_id"))
        for market_id, frame in changed.items()
    ]
    if not frames:
        return CANDLE_LAYOUT.encode(
            {column: np.empty(0, np.int64) for column in _KEY | _VALUES}
            | {"notional": np.empty(0, "S1")}
        )
    rows = pl.concat(frames).with_columns(
        pl.col("volume_lots").clip(upper_bound=INT64_MAX).cast(pl.Int64)
    )
    return CANDLE_LAYOUT.encode(
        {column: rows[column].to_numpy() for column in _KEY | _VALUES}
        | {"notional": np.array(rows["notional"].cast(pl.String).to_list(), "S")}
    )


async def _pieces(payload: bytes) -> AsyncIterator[bytes]:
    """Yield the payload in pieces: asyncpg would take plain bytes for a file's path."""
    for start in range(0, len(payload), _PIECE_BYTES):
        yield payload[start : start + _PIECE_BYTES]
