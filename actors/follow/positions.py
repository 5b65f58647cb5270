"""How far the followers of the log have come, market by market, and the SQL about it.

A position moves in the transaction that writes what it stands for, and only from the one that the
follower has read: two at once, or one behind a cut link, cannot both write.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Protocol

import asyncpg

from actors.platform.errors import PositionTakenError

_MAKE = """
INSERT INTO consumer_positions
    (consumer, market_id, next_offset, last_sequence, commands_offset)
SELECT $1, market_id, 0, 0, 0 FROM unnest($2::integer[]) AS market_id
ON CONFLICT DO NOTHING
"""

_READ = """
SELECT market_id, next_offset, last_sequence, commands_offset FROM consumer_positions
WHERE consumer = $1 AND ($2::integer[] IS NULL OR market_id = ANY($2))
"""

_MOVE = """
UPDATE consumer_positions AS stored
SET next_offset = moved.next_offset, last_sequence = moved.last_sequence,
    commands_offset = moved.commands_offset
FROM unnest($2::integer[], $3::bigint[], $4::bigint[], $5::bigint[], $6::bigint[], $7::bigint[])
    AS moved(market_id, next_offset, last_sequence, commands_offset, old_offset, old_sequence)
WHERE stored.consumer = $1 AND stored.market_id = moved.market_id
  AND stored.next_offset = moved.old_offset AND stored.last_sequence = moved.old_sequence
RETURNING stored.market_id
"""

_PLACE = """
INSERT INTO consumer_positions (consumer, market_id, next_offset, last_sequence, commands_offset)
VALUES ($1, $2, $3, $4, $5)
ON CONFLICT (consumer, market_id) DO UPDATE SET next_offset = excluded.next_offset,
    last_sequence = excluded.last_sequence, commands_offset = excluded.commands_offset
"""


@dataclass(frozen=True, kw_only=True, slots=True)
class MarketPosition:
    """How far one market is followed; a row of `consumer_positions`.

    `next_offset` counts records of the followed topic, `last_sequence` is the last that was
    taken from it; `commands_offset` is the offset in `orders.new` up to which every command is
    reflected in the rows.
    """

    market_id: int
    next_offset: int = 0
    last_sequence: int = 0
    commands_offset: int = 0


class Queries(Protocol):
    """Whatever answers a query: a connection, or a pool of them."""

    async def fetch(self, query: str, /, *arguments: object) -> list[asyncpg.Record]:
        """Return all rows of a query."""
        ...


async def make_positions(
    connection: asyncpg.Connection, consumer: str, market_ids: Iterable[int]
) -> None:
    """Let each market without a position of this consumer begin at 0. Raises asyncpg's errors."""
    await connection.execute(_MAKE, consumer, list(market_ids))


async def read_positions(
    queries: Queries, consumer: str, market_ids: Iterable[int] | None = None
) -> dict[int, MarketPosition]:
    """Return a consumer's stored positions by market id, of these markets or of all.

    A market that the consumer has not met is missing. Raises what `queries` raises.
    """
    wanted = None if market_ids is None else list(market_ids)
    rows = await queries.fetch(_READ, consumer, wanted)
    return {row["market_id"]: MarketPosition(**dict(row)) for row in rows}


async def move_positions(
    connection: asyncpg.Connection,
    consumer: str,
    *,
    before: Collection[MarketPosition],
    after: Collection[MarketPosition],
) -> None:
    """Move a consumer's positions, given in the same order of markets, within a transaction.

    Call it first: its row locks let one process in at a time. Raises PositionTakenError where
    offset or sequence is stored otherwise than in `before`, and asyncpg's errors.
    """
    moved = await connection.fetch(
        _MOVE,
        consumer,
        [position.market_id for position in after],
        [position.next_offset for position in after],
        [position.last_sequence for position in after],
        [position.commands_offset for position in after],
        [position.next_offset for position in before],
        [position.last_sequence for position in before],
    )
    if len(moved) != len(after):
        raise PositionTakenError(f"another process has moved the position of {consumer}")


async def place_position(
    connection: asyncpg.Connection, consumer: str, position: MarketPosition
) -> None:
    """Store a position whatever was stored before. Raises asyncpg's errors."""
    await connection.execute(
        _PLACE,
        consumer,
        position.market_id,
        position.next_offset,
        position.last_sequence,
        position.commands_offset,
    )
