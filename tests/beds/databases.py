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
    owner = await asyncpg.connect(postgres_url)
    try:
        await owner.execute(f"CREATE DATABASE {name}")
        try:
            yield urlsplit(postgres_url)._replace(path=f"/{name}").geturl()
        finally:
            await owner.execute(f"DROP DATABASE {name} WITH (FORCE)")
    finally:
        await owner.close()
