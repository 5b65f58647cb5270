"""Migrations of the schema: numbered SQL files, each once, each in a transaction.

The well-kept migration libraries want a second driver or an ORM beside asyncpg, so this is a
short runner of its own. A file that was applied must never change: its checksum is kept.
"""

import hashlib
from decimal import Decimal
from pathlib import Path

import asyncpg

from actors.platform.topology import Topology
from cluster.errors import MigrationError, ServerUnreachableError

_FILES = Path(__file__).parent / "migrations"
_ADVISORY_LOCK = 0x464F_524B  # "FORK"
_HISTORY = """
CREATE TABLE IF NOT EXISTS schema_migrations (
    name text PRIMARY KEY,
    sha256 text NOT NULL,
    applied_at timestamptz NOT NULL DEFAULT now()
)
"""
_UPSERT_MARKET = """
INSERT INTO markets (market_id, pair, tick_size, lot_size) VALUES ($1, $2, $3, $4)
ON CONFLICT (market_id) DO NOTHING
"""


async def migrate(postgres_url: str, topology: Topology, *, files: Path = _FILES) -> list[str]:
    """Apply what is missing and enter the markets; return the names of the files applied.

    Two at once wait for each other. Raises MigrationError, ServerUnreachableError.
    """
    scripts = _scripts(files)
    try:
        connection = await asyncpg.connect(postgres_url, timeout=20)
    except (OSError, asyncpg.PostgresError, TimeoutError) as error:
        raise ServerUnreachableError(f"Postgres: {error}") from error
    try:
        await connection.execute("SELECT pg_advisory_lock($1)", _ADVISORY_LOCK)
        applied = await _apply(connection, scripts)
        await _enter_markets(connection, topology)
    finally:
        await connection.close(timeout=10)
    return applied


async def pending(connection: asyncpg.Connection, *, files: Path = _FILES) -> list[str]:
    """Return the names of the files that a database has not seen."""
    if await connection.fetchval("SELECT to_regclass('schema_migrations')") is None:
        return list(_scripts(files))
    rows = await connection.fetch("SELECT name FROM schema_migrations")
    return sorted(_scripts(files).keys() - {row["name"] for row in rows})


def _scripts(files: Path) -> dict[str, str]:
    return {path.name: path.read_text() for path in sorted(files.glob("*.sql"))}


async def _apply(connection: asyncpg.Connection, scripts: dict[str, str]) -> list[str]:
    await connection.execute(_HISTORY)
    rows = await connection.fetch("SELECT name, sha256 FROM schema_migrations")
    history = {row["name"]: row["sha256"] for row in rows}
    if unknown := sorted(history.keys() - scripts.keys()):
        raise MigrationError(
            f"the database has migrations that this build does not know: {', '.join(unknown)}"
        )
    applied = []
    for name, script in scripts.items():
        sha256 = hashlib.sha256(script.encode()).hexdigest()
        if history.get(name, sha256) != sha256:
            raise MigrationError(f"migration {name} was changed after it had been applied")
        if name in history:
            continue
        try:
            async with connection.transaction():
                await connection.execute(script)
                await connection.execute(
                    "INSERT INTO schema_migrations (name, sha256) VALUES ($1, $2)", name, sha256
                )
        except asyncpg.PostgresError as error:
            raise MigrationError(f"migration {name} failed: {error}") from error
        applied.append(name)
    return applied


async def _enter_markets(connection: asyncpg.Connection, topology: Topology) -> None:
    try:
        async with connection.transaction():
            await connection.executemany(
                _UPSERT_MARKET,
                [
                    (
                        market.market_id,
                        market.pair,
                        Decimal(market.tick_size),
                        Decimal(market.lot_size),
                    )
                    for market in topology
                ],
            )
    except asyncpg.UniqueViolationError as error:
        raise MigrationError(f"a pair has changed its market_id: {error.detail}") from error
    rows = await connection.fetch("SELECT market_id, pair, tick_size, lot_size FROM markets")
    kept = {row["market_id"]: row for row in rows}
    for market in topology:
        row = kept[market.market_id]
        wanted = (market.pair, Decimal(market.tick_size), Decimal(market.lot_size))
        # Every stored price counts these ticks, and every quantity these lots.
        if (row["pair"], row["tick_size"], row["lot_size"]) != wanted:
            raise MigrationError(
                f"market {market.market_id} is {row['pair']} with tick {row['tick_size']} and lot "
                f"{row['lot_size']} in the data; the markets file says {market.pair}, "
                f"{market.tick_size}, {market.lot_size}: a market's tick and lot never change"
            )
