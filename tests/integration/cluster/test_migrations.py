"""Migrations against a real Postgres, each test in a database of its own."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import asyncpg
import pytest

from actors.platform.config import Servers
from actors.platform.topology import Topology
from cluster.data.migrate import migrate
from cluster.errors import MigrationError, ServerUnreachableError
from cluster.markets import default_topology
from tests.beds.databases import own_database


@pytest.fixture
async def database(servers: Servers) -> AsyncIterator[str]:
    """The URL of an empty database."""
    async with own_database(servers.postgres_url) as url:
        yield url


@pytest.fixture
def files(tmp_path: Path) -> Path:
    """Two migrations that know no more than the markets table."""
    (tmp_path / "0001_first.sql").write_text(
        "CREATE TABLE markets (market_id integer PRIMARY KEY, pair text NOT NULL UNIQUE,"
        " tick_size numeric NOT NULL, lot_size numeric NOT NULL);"
    )
    (tmp_path / "0002_second.sql").write_text("CREATE TABLE seconds (number integer);")
    return tmp_path


async def test_each_file_is_applied_once_and_in_order(database: str, files: Path) -> None:
    topology = default_topology()
    assert await migrate(database, topology, files=files) == ["0001_first.sql", "0002_second.sql"]
    assert await migrate(database, topology, files=files) == []
    (files / "0003_third.sql").write_text("ALTER TABLE seconds ADD COLUMN name text;")
    assert await migrate(database, topology, files=files) == ["0003_third.sql"]


async def test_two_at_once_apply_everything_once(database: str, files: Path) -> None:
    both = await asyncio.gather(
        *(migrate(database, default_topology(), files=files) for _ in range(2))
    )
    assert sorted(map(len, both)) == [0, 2]


async def test_a_file_that_changed_after_it_was_applied_is_refused(
    database: str, files: Path
) -> None:
    await migrate(database, default_topology(), files=files)
    (files / "0002_second.sql").write_text("CREATE TABLE seconds (number bigint);")
    with pytest.raises(MigrationError, match=r"0002_second.sql was changed"):
        await migrate(database, default_topology(), files=files)


async def test_a_newer_builds_database_is_refused(database: str, files: Path) -> None:
    await migrate(database, default_topology(), files=files)
    (files / "0002_second.sql").unlink()
    with pytest.raises(MigrationError, match=r"does not know: 0002_second.sql"):
        await migrate(database, default_topology(), files=files)


async def test_a_file_that_fails_leaves_no_half_of_it(database: str, files: Path) -> None:
    (files / "0003_third.sql").write_text("CREATE TABLE thirds (number integer); SELECT 1/0;")
    with pytest.raises(MigrationError, match=r"0003_third.sql failed: division by zero"):
        await migrate(database, default_topology(), files=files)
    connection = await asyncpg.connect(database)
    names = await connection.fetch("SELECT name FROM schema_migrations ORDER BY name")
    half = await connection.fetchval("SELECT to_regclass('thirds')")
    await connection.close()
    assert [row["name"] for row in names] == ["0001_first.sql", "0002_second.sql"]
    assert half is None


async def test_a_markets_units_never_change(database: str, files: Path) -> None:
    bitcoin = default_topology().market("BTC-USD")
    await migrate(database, Topology((bitcoin,)), files=files)
    coarser = Topology((replace(bitcoin, tick_size="0.1", max_price_ticks=9_000_000),))
    with pytest.raises(MigrationError, match="a market's tick and lot never change"):
        await migrate(database, coarser, files=files)
    elsewhere = Topology((replace(bitcoin, market_id=2),))
    with pytest.raises(MigrationError, match="changed its market_id"):
        await migrate(database, elsewhere, files=files)


async def test_a_market_may_be_added(database: str, files: Path) -> None:
    markets = tuple(default_topology())
    await migrate(database, Topology(markets[:1]), files=files)
    await migrate(database, Topology(markets), files=files)
    connection = await asyncpg.connect(database)
    assert await connection.fetchval("SELECT count(*) FROM markets") == 10
    await connection.close()


async def test_a_postgres_that_does_not_answer_is_told(files: Path) -> None:
    with pytest.raises(ServerUnreachableError, match="Postgres"):
        await migrate("postgresql://nobody@127.0.0.1:1/none", default_topology(), files=files)
