"""Rows and positions in Postgres: one connection, one transaction per batch.

Commits do not wait for the disk (`synchronous_commit = off`). Postgres may then forget the last
fraction of a second in a crash, rows and position together; the connection dies with it, and the
writer reads on from the position that Postgres remembers.
"""

import re
from collections.abc import AsyncIterator, Iterable
from typing import Self

import asyncpg

from actors.follow.positions import MarketPosition
from actors.platform.errors import PositionTakenError
from actors.platform.topology import Topology
from actors.writer.intake import Batch
from actors.writer.rows import (
    CHANGE_LAYOUT,
    ORDER_KEY,
    ORDER_LAYOUT,
    ORDER_REST,
    ORDER_STATE,
    TRADE_LAYOUT,
    Rows,
    change_payload,
    order_payload,
    rows_of,
    trade_payload,
)

CONNECT_TIMEOUT_S = 10
COMMAND_TIMEOUT_S = 30
COPY_PIECE_BYTES = 512 * 1024

# Joins by index only: the tables staged here have no statistics, and a plan that scans all orders
# would grow with the table.
_SESSION = {
    "application_name": "forkast-writer",
    "synchronous_commit": "off",
    "enable_hashjoin": "off",
    "enable_mergejoin": "off",
    "jit": "off",
}


def _assign(columns: Iterable[str]) -> str:
    return ", ".join(f"{column} = staged.{column}" for column in columns)


def _columns(columns: Iterable[str]) -> str:
    return ", ".join(columns)


_TEMPORARY = f"""
CREATE TEMPORARY TABLE staged_changes ON COMMIT DELETE ROWS AS
    SELECT {_columns(CHANGE_LAYOUT.columns)} FROM orders WITH NO DATA;
CREATE TEMPORARY TABLE staged_orders ON COMMIT DELETE ROWS AS
    SELECT {_columns(ORDER_LAYOUT.columns)} FROM orders WITH NO DATA;
CREATE TEMPORARY TABLE staged_trades ON COMMIT DELETE ROWS AS
    SELECT {_columns(TRADE_LAYOUT.columns)} FROM trades WITH NO DATA;
"""  # noqa: S608

_CHANGE = f"""
UPDATE orders SET {_assign(ORDER_STATE)} FROM staged_changes AS staged
WHERE orders.order_id = staged.order_id AND orders.market_id = staged.market_id
"""  # noqa: S608

_MERGE_ORDERS = f"""
INSERT INTO orders ({_columns(ORDER_LAYOUT.columns)})
SELECT {_columns(ORDER_LAYOUT.columns)} FROM staged_orders
ON CONFLICT ({_columns(ORDER_KEY)}) DO UPDATE
SET {", ".join(f"{column} = excluded.{column}" for column in (*ORDER_STATE, *ORDER_REST))}
WHERE excluded.sequence > orders.sequence
"""  # noqa: S608

_MERGE_TRADES = f"""
INSERT INTO trades ({_columns(TRADE_LAYOUT.columns)})
SELECT {_columns(TRADE_LAYOUT.columns)} FROM staged_trades
ON CONFLICT (market_id, trade_id) DO NOTHING
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
FROM unnest($2::integer[], $3::bigint[], $4::bigint[], $5::bigint[], $6::bigint[], $7::bigint[])
    AS moved(market_id, next_offset, last_sequence, commands_offset, old_offset, old_sequence)
WHERE stored.consumer = $1 AND stored.market_id = moved.market_id
  AND stored.next_offset = moved.old_offset AND stored.last_sequence = moved.old_sequence
"""


class _RowMissingError(Exception):
    """An image of an older order found no row to change."""


class OrderStore:
    """The tables `orders`, `trades` and `consumer_positions`, for one writer task."""

    def __init__(self, connection: asyncpg.Connection, *, consumer: str) -> None:
        self._connection = connection
        self._consumer = consumer

    @classmethod
    async def connect(cls, url: str, *, consumer: str) -> Self:
        """Open the connection. Raises OSError, TimeoutError and asyncpg's errors."""
        connection = await asyncpg.connect(
            url,
            timeout=CONNECT_TIMEOUT_S,
            command_timeout=COMMAND_TIMEOUT_S,
            server_settings=_SESSION,
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

    async def positions(self, topology: Topology) -> tuple[MarketPosition, ...]:
        """Return every market's position; a market never written starts at 0."""
        market_ids = [market.market_id for market in topology]
        await self._connection.execute(_MAKE_POSITIONS, self._consumer, market_ids)
        rows = await self._connection.fetch(_READ_POSITIONS, self._consumer, market_ids)
        return tuple(MarketPosition(**dict(row)) for row in rows)

    async def write(self, batch: Batch) -> Rows:
        """Write a batch's rows and positions in one transaction, and return the rows.

        Rows that exist already (an order id used again after its order ended), or that are
        missing, send the batch the slower way, where an order's newest image wins. Raises
        PositionTakenError where the stored positions are not those that the batch leads from.
        """
        rows = rows_of(batch.events)
        try:
            async with self._connection.transaction():
                await self._move_positions(batch)
                await self._append(rows)
        except (asyncpg.UniqueViolationError, _RowMissingError):
            async with self._connection.transaction():
                await self._move_positions(batch)
                await self._merge(rows)
        return rows

    async def _move_positions(self, batch: Batch) -> None:
        """Move the positions first: their row locks let one writer in at a time."""
        status = await self._connection.execute(
            _MOVE_POSITIONS,
            self._consumer,
            [position.market_id for position in batch.after],
            [position.next_offset for position in batch.after],
            [position.last_sequence for position in batch.after],
            [position.commands_offset for position in batch.after],
            [position.next_offset for position in batch.before],
            [position.last_sequence for position in batch.before],
        )
        if _row_count(status) != len(batch.after):
            raise PositionTakenError(f"another writer has moved the position of {self._consumer}")

    async def _append(self, rows: Rows) -> None:
        if len(rows.trades):
            await self._copy("trades", trade_payload(rows.trades), TRADE_LAYOUT.columns)
        if len(rows.inserts):
            await self._copy("orders", order_payload(rows.inserts), ORDER_LAYOUT.columns)
        if len(rows.changes):
            payload = change_payload(rows.changes)
            await self._copy("staged_changes", payload, CHANGE_LAYOUT.columns)
            if _row_count(await self._connection.execute(_CHANGE)) != len(rows.changes):
                raise _RowMissingError

    async def _merge(self, rows: Rows) -> None:
        await self._copy("staged_trades", trade_payload(rows.trades), TRADE_LAYOUT.columns)
        await self._connection.execute(_MERGE_TRADES)
        for images in (rows.inserts, rows.changes):
            await self._copy("staged_orders", order_payload(images), ORDER_LAYOUT.columns)
        await self._connection.execute(_MERGE_ORDERS)

    async def _copy(self, table: str, payload: bytes, columns: tuple[str, ...]) -> None:
        await self._connection.copy_to_table(
            table, source=_pieces(payload), columns=columns, format="binary"
        )


async def _pieces(payload: bytes) -> AsyncIterator[bytes]:
    """Yield the payload in pieces: asyncpg would take plain bytes for a file's path."""
    for start in range(0, len(payload), COPY_PIECE_BYTES):
        yield payload[start : start + COPY_PIECE_BYTES]


def _row_count(status: str) -> int:
    count = re.search(r"\d+$", status)
    if count is None:
        raise ValueError(f"no row count in {status!r}")
    return int(count.group())
