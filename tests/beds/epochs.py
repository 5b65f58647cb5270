"""Platforms of one market with a database of their own, on the session's other servers."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import asyncpg

from cluster.data.migrate import migrate
from cluster.plan import Platform
from tests.beds.databases import own_database


@asynccontextmanager
async def in_own_database(platform: Platform, folder: Path) -> AsyncIterator[Platform]:
    """Give the platform an empty database, and a data folder."""
    async with own_database(platform.servers.postgres_url) as url:
        await migrate(url, platform.topology)
        servers = replace(platform.servers, postgres_url=url)
        yield replace(platform, servers=servers, data_directory=str(folder))


async def execute(platform: Platform, statement: str, *arguments: object) -> None:
    """Change what Postgres holds."""
    connection = await asyncpg.connect(platform.servers.postgres_url)
    await connection.execute(statement, *arguments)
    await connection.close()
