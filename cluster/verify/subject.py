"""Subject of a verification: the platform that a data folder is of, running or stopped."""

import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import asyncpg

from actors.platform.config import Servers
from cluster.data.state import DataFolder
from cluster.embedded.servers import EmbeddedServers
from cluster.errors import CannotVerifyError
from cluster.markets import topology_of
from cluster.plan import Platform
from cluster.settings import Settings
from cluster.verify.books import HttpBooks


@dataclass(frozen=True, kw_only=True)
class Subject:
    """A platform, and the live books where it runs."""

    platform: Platform
    books: HttpBooks | None


@contextlib.asynccontextmanager
async def subject_in(data: Path, markets: str, settings: Settings) -> AsyncIterator[Subject]:
    """Find the platform that runs in a folder, or start the servers of one that is stopped.

    `markets` is the file of a stopped one's markets, or empty. Raises CannotVerifyError where the
    folder's data are not of these markets, and other errors of ForkastError.
    """
    folder = DataFolder(data)
    state = folder.read()
    if state is not None and folder.held():
        servers = Servers(
            kafka_bootstrap=state.kafka_bootstrap,
            postgres_url=state.postgres_url,
            redis_url=state.redis_url,
        )
        topology = topology_of(state.markets_file)
        platform = settings.platform(servers=servers, topology=topology, data=folder.path)
        await _check_markets(platform)
        yield Subject(
            platform=platform,
            books=HttpBooks(url=state.url, operator_token=state.operator_token),
        )
        return
    topology = topology_of(markets or (state.markets_file if state is not None else ""))
    if not folder.path.exists():
        raise CannotVerifyError(f"there is no data in {folder.path}: give its folder with --data")
    folder.hold()
    embedded = EmbeddedServers(
        folder.path,
        postgres_url=settings.postgres_url,
        redis_url=settings.redis_url,
        kafka_bootstrap=settings.kafka_bootstrap,
    )
    try:
        servers = await embedded.start()
        platform = settings.platform(servers=servers, topology=topology, data=folder.path)
        await _check_markets(platform)
        yield Subject(platform=platform, books=None)
    finally:
        await embedded.stop()
        folder.release()


async def _check_markets(platform: Platform) -> None:
    """See that the data's markets are those that are verified. Raises CannotVerifyError."""
    try:
        connection = await asyncpg.connect(platform.servers.postgres_url, timeout=10)
        try:
            rows = await connection.fetch("SELECT market_id, pair FROM markets ORDER BY market_id")
        finally:
            await connection.close(timeout=5)
    except (OSError, TimeoutError, asyncpg.PostgresError) as error:
        raise CannotVerifyError(f"the markets could not be read: {error}") from error
    known = {(market.market_id, market.pair) for market in platform.topology}
    for row in rows:
        if (row["market_id"], row["pair"]) not in known:
            raise CannotVerifyError(
                f"the data hold market {row['market_id']}, {row['pair']}, "
                "which the markets file does not: give it with --markets"
            )
