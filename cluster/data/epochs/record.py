"""The table `log_epochs`: which logs the data have had, the newest being the one in use."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

import asyncpg

from cluster.data.epochs.log import LogState

FIRST_NAME = "first"


@dataclass(frozen=True, kw_only=True, slots=True)
class Epoch:
    """One log: its number from 1 on, the operator's name for it, and Kafka's ids."""

    number: int
    name: str
    cluster_id: str
    topic_ids: Mapping[str, str]
    begun_at: datetime


async def read_epochs(connection: asyncpg.Connection) -> list[Epoch]:
    """Return all epochs, oldest first. Raises asyncpg's errors."""
    rows = await connection.fetch("SELECT * FROM log_epochs ORDER BY epoch")
    return [
        Epoch(
            number=row["epoch"],
            name=row["name"],
            cluster_id=row["cluster_id"],
            topic_ids=json.loads(row["topic_ids"]),
            begun_at=row["begun_at"],
        )
        for row in rows
    ]


async def add_epoch(
    connection: asyncpg.Connection, *, number: int, name: str, log: LogState
) -> None:
    """Enter the epoch that begins with this log. Raises asyncpg's errors."""
    await connection.execute(
        "INSERT INTO log_epochs (epoch, name, cluster_id, topic_ids) VALUES ($1, $2, $3, $4)",
        number,
        name,
        log.cluster_id,
        json.dumps(dict(log.topic_ids)),
    )


async def epoch_number(connection: asyncpg.Connection) -> int:
    """Return the number of the epoch in use, 1 before the first start. Raises asyncpg's errors."""
    if await connection.fetchval("SELECT to_regclass('log_epochs')") is None:
        return 1
    number: int | None = await connection.fetchval("SELECT max(epoch) FROM log_epochs")
    return number or 1
