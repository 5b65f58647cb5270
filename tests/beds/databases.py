"""Databases of a test's own on the session's Postgres."""

import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from urllib.parse import urlsplit

import asyncpg


@asynccontextmanager
async def own_database(postgres_url: str) -> AsyncIterator[str]:
    """Make an empty database beside the one at this URL and yield its URL; drop it at the end."""
    name = f"test_{uuid.uuid4().hex[:12]}"
    await _execute(postgres_url, f"CREATE DATABASE {name}")
    try:
        yield urlsplit(postgres_url)._replace(path=f"/{name}").geturl()
    finally:
        await _execute(postgres_url, f"DROP DATABASE {name} WITH (FORCE)")


async def _execute(postgres_url: str, statement: str) -> None:
    # Over a connection of its own: the server may have been away meanwhile.
    connection = await asyncpg.connect(postgres_url)
    try:
        await connection.execute(statement)
    finally:
        await connection.close()
