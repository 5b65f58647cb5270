"""Platforms of one market with a database of their own, on the session's other servers."""

import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from urllib.parse import urlsplit

import asyncpg

from actors.platform.config import Servers
from cluster.data.migrate import migrate
from cluster.plan import Platform


@asynccontextmanager
async def own_database(platform: Platform, folder: Path) -> AsyncIterator[Platform]:
    """Give the platform an empty database, and a data folder."""
    shared = platform.servers.postgres_url
    name = f"epochs_{uuid.uuid4().hex[:12]}"
    url = urlsplit(shared)._replace(path=f"/{name}").geturl()
    owner = await asyncpg.connect(shared)
    await owner.execute(f"CREATE DATABASE {name}")
    servers: Servers = replace(platform.servers, postgres_url=url)
    await migrate(url, platform.topology)
    yield replace(platform, servers=servers, data_directory=str(folder))
    await owner.execute(f"DROP DATABASE {name} WITH (FORCE)")
    await owner.close()


async def execute(platform: Platform, statement: str, *arguments: object) -> None:
    """Change what Postgres holds."""
    connection = await asyncpg.connect(platform.servers.postgres_url)
    await connection.execute(statement, *arguments)
    await connection.close()
