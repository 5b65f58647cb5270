"""A pool of connections whose failures are of the one error tree."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncpg

from actors.platform.errors import StorageUnavailableError

POOL_SIZE = 8
CONNECT_TIMEOUT_S = 3.0
COMMAND_TIMEOUT_S = 5.0
STOP_TIMEOUT_S = 2.0

# A plan kept for all arguments would choose one index for users of ten orders and of ten million.
_SESSION = {"application_name": "forkast-api", "plan_cache_mode": "force_custom_plan", "jit": "off"}

_UNAVAILABLE = (
    OSError,
    TimeoutError,
    asyncpg.InterfaceError,
    asyncpg.PostgresConnectionError,
    asyncpg.InsufficientResourcesError,
    asyncpg.OperatorInterventionError,
)


class Database:
    """Queries over a pool. Everything raises StorageUnavailableError while Postgres is away."""

    def __init__(self, url: str, *, size: int = POOL_SIZE) -> None:
        self._pool = asyncpg.create_pool(
            url,
            min_size=0,
            max_size=size,
            timeout=CONNECT_TIMEOUT_S,
            command_timeout=COMMAND_TIMEOUT_S,
            server_settings=_SESSION,
        )

    async def start(self) -> None:
        """Make the pool ready; connections are opened when they are needed."""
        await self._pool

    async def stop(self) -> None:
        """Close all connections, at once where a query does not end."""
        try:
            async with asyncio.timeout(STOP_TIMEOUT_S):
                await self._pool.close()
        except (TimeoutError, OSError, asyncpg.InterfaceError):
            self._pool.terminate()

    async def fetch(self, query: str, *arguments: object) -> list[asyncpg.Record]:
        """Return all rows of a query."""
        async with self._connection() as connection:
            return await connection.fetch(query, *arguments)

    async def fetch_one(self, query: str, *arguments: object) -> asyncpg.Record | None:
        """Return the first row of a query, if there is one."""
        async with self._connection() as connection:
            return await connection.fetchrow(query, *arguments)

    @asynccontextmanager
    async def _connection(self) -> AsyncIterator[asyncpg.pool.PoolConnectionProxy]:
        try:
            async with self._pool.acquire(timeout=COMMAND_TIMEOUT_S) as connection:
                yield connection
        except _UNAVAILABLE as error:
            raise StorageUnavailableError(f"Postgres did not answer: {error!r}") from error
