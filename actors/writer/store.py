"""Rows and positions in Postgres: one connection, one transaction per batch.

Commits do not wait for the disk (`synchronous_commit = off`). Postgres may then forget the last
fraction of a second in a crash, rows and position together; the connection dies with it, and the
writer reads on from the position that Postgres remembers.
"""

import re
from collections.abc import Iterable, Mapping
from typing import Self

import asyncpg

from actors.follow.connection import connect, disconnect
from actors.follow.copy_format import copy_rows
from actors.follow.positions import (
    MarketPosition,
    make_positions,
    move_positions,
    read_positions,
)
from actors.platform.topology import Topology
from actors.writer.intake import Batch
from actors.writer.rows import (
    CHANGE_COLUMNS,
    ORDER_KEY,
    ORDER_LAYOUT,
    ORDER_REST,
    ORDER_STATE,
    TRADE_LAYOUT,
    Rows,
    change_arrays,
    order_payload,
    rows_of,
    trade_payload,
)

# Joins by index only: what is joined here has no statistics, and a plan that scans all orders would
# grow with the table.
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


def _arrays(columns: Mapping[str, str]) -> str:
    return ", ".join(f"${at}::{kind}[]" for at, kind in enumerate(columns.values(), 1))


_TEMPORARY = f"""
CREATE TEMPORARY TABLE staged_orders ON COMMIT DELETE ROWS AS
    SELECT {_columns(ORDER_LAYOUT.columns)} FROM orders WITH NO DATA;
CREATE TEMPORARY TABLE staged_trades ON COMMIT DELETE ROWS AS
    SELECT {_columns(TRADE_LAYOUT.columns)} FROM trades WITH NO DATA;
"""  # noqa: S608

# As arrays: a temporary table would be emptied in every transaction, at the price of all the rest.
_CHANGE = f"""
UPDATE orders SET {_assign(ORDER_STATE)}
FROM unnest({_arrays(CHANGE_COLUMNS)}) AS staged({_columns(CHANGE_COLUMNS)})
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
        connection = await connect(url, settings=_SESSION, temporary=_TEMPORARY)
        return cls(connection, consumer=consumer)

    async def close(self) -> None:
        """Close the connection."""
        await disconnect(self._connection)

    async def positions(self, topology: Topology) -> tuple[MarketPosition, ...]:
        """Return every market's position; a market never written starts at 0."""
        market_ids = [market.market_id for market in topology]
        await make_positions(self._connection, self._consumer, market_ids)
        stored = await read_positions(self._connection, self._consumer, market_ids)
        return tuple(stored.values())

    async def write(self, batch: Batch) -> Rows:
        """Write a batch's rows and positions in one transaction, and return the rows.

        Rows that exist already (an order id used again after its order ended), or that are
        missing, send the batch the slower way, where an order's newest image wins. Raises
        PositionTakenError where the stored positions are not those that the batch leads from.
        """
        rows = rows_of(batch.events)
        try:
            async with self._connection.transaction():
                await self._move(batch)
                await self._append(rows)
        except (asyncpg.UniqueViolationError, _RowMissingError):
            async with self._connection.transaction():
                await self._move(batch)
                await self._merge(rows)
        return rows

    async def _move(self, batch: Batch) -> None:
        await move_positions(
            self._connection, self._consumer, before=batch.before, after=batch.after
        )

    async def _append(self, rows: Rows) -> None:
        if len(rows.trades):
            await self._copy("trades", trade_payload(rows.trades), TRADE_LAYOUT.columns)
        if len(rows.inserts):
            await self._copy("orders", order_payload(rows.inserts), ORDER_LAYOUT.columns)
        if len(rows.changes):
            changed = await self._connection.execute(_CHANGE, *change_arrays(rows.changes))
            if _row_count(changed) != len(rows.changes):
                raise _RowMissingError

    async def _merge(self, rows: Rows) -> None:
        await self._copy("staged_trades", trade_payload(rows.trades), TRADE_LAYOUT.columns)
        await self._connection.execute(_MERGE_TRADES)
        for images in (rows.inserts, rows.changes):
            await self._copy("staged_orders", order_payload(images), ORDER_LAYOUT.columns)
        await self._connection.execute(_MERGE_ORDERS)

    async def _copy(self, table: str, payload: bytes, columns: tuple[str, ...]) -> None:
        await copy_rows(self._connection, table, payload, columns=columns)


def _row_count(status: str) -> int:
    count = re.search(r"\d+$", status)
    if count is None:
        raise ValueError(f"no row count in {status!r}")
    return int(count.group())
