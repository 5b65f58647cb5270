"""A follower's one connection to Postgres, with settings and temporary tables of its own."""

from collections.abc import Mapping

import asyncpg

_CONNECT_TIMEOUT_S = 10
_COMMAND_TIMEOUT_S = 30
_CLOSE_TIMEOUT_S = 2


async def connect(
    url: str, *, settings: Mapping[str, str], temporary: str = ""
) -> asyncpg.Connection:
    """Open a connection with these session settings, and run what statements `temporary` has.

    Raises OSError, TimeoutError and asyncpg's errors.
    """
    connection = await asyncpg.connect(
        url,
        timeout=_CONNECT_TIMEOUT_S,
        command_timeout=_COMMAND_TIMEOUT_S,
        server_settings=dict(settings),
    )
    try:
        if temporary:
            await connection.execute(temporary)
    except BaseException:
        connection.terminate()
        raise
    return connection


async def disconnect(connection: asyncpg.Connection) -> None:
    """Close a connection, at once where the server does not answer."""
    try:
        await connection.close(timeout=_CLOSE_TIMEOUT_S)
    except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError):
        connection.terminate()
