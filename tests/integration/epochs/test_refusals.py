"""A log that is not the one that the data belong to is refused in one sentence."""

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import asyncpg
import pytest

from actors.fold.ports import StoredSnapshot
from actors.platform.config import Servers
from cluster.data.epochs.check import enter_epoch
from cluster.data.epochs.record import epoch_number
from cluster.errors import LogReplacedError
from cluster.plan import Platform
from tests.beds.commands import flow
from tests.beds.epochs import execute, in_own_database
from tests.beds.leases import MarketLeases
from tests.beds.routing import command_log, make_platform

_RECORDS = 3


@pytest.fixture(scope="module")
async def served(
    servers: Servers, leases: MarketLeases, tmp_path_factory: pytest.TempPathFactory
) -> Platform:
    """A market with a few records in its log."""
    market = await leases.market()
    platform = make_platform(servers, [market], tmp_path_factory.mktemp("epochs"))
    async with command_log(platform) as log:
        for number in range(_RECORDS):
            await log.append(market, flow(1, first_order_id=number + 1))
    return platform


@pytest.fixture
async def platform(served: Platform, tmp_path: Path) -> AsyncIterator[Platform]:
    """The market with a database of its own, entered once."""
    async with in_own_database(served, tmp_path) as own:
        assert await enter_epoch(own) == 1
        yield own


async def test_the_log_of_the_last_start_is_entered_again(platform: Platform) -> None:
    _save(platform, _RECORDS)
    await execute(platform, _POSITION, "writer", 0, _RECORDS)
    assert await enter_epoch(platform) == 1
    connection = await asyncpg.connect(platform.servers.postgres_url)
    assert await epoch_number(connection) == 1
    await connection.close()


_POSITION = """
INSERT INTO consumer_positions
SELECT $1::text, market_id, $2::bigint, 0, $3::bigint FROM markets
"""


@pytest.mark.parametrize(
    ("statement", "arguments", "sentence"),
    [
        (
            "UPDATE log_epochs SET cluster_id = 'another'",
            (),
            r"Kafka's cluster is [\w-]{22}, but .* \(epoch 'first'\) comes from cluster another",
        ),
        (
            'UPDATE log_epochs SET topic_ids = topic_ids || \'{"orders.updated": "another"}\'',
            (),
            r"the topic orders.updated was deleted and made again: its id is [0-9a-f-]{36}, but",
        ),
        (
            _POSITION,
            ("writer", 0, 4),
            r"orders.new holds the offsets 0 to 3 of T\d+-USD, but rows are written up to 4",
        ),
        (
            _POSITION,
            ("writer", 9, 0),
            r"orders.updated holds .* 0 to 0 of T\d+-USD, but consumer writer has read up to 9",
        ),
        (
            _POSITION,
            ("candles", 8, 0),
            r"trades.executed holds .*, but consumer candles has read up to 8: it was cut",
        ),
    ],
)
async def test_another_log_and_one_that_was_cut_are_told_with_the_way_on(
    platform: Platform, statement: str, arguments: tuple[object, ...], sentence: str
) -> None:
    await execute(platform, statement, *arguments)
    with pytest.raises(LogReplacedError, match=sentence) as refused:
        await enter_epoch(platform)
    assert "begin a new epoch with `forkast up --new-epoch NAME`" in str(refused.value)
    assert "\n" not in str(refused.value)


async def test_a_snapshot_beyond_the_end_of_the_log_is_told(platform: Platform) -> None:
    _save(platform, _RECORDS + 1)
    with pytest.raises(LogReplacedError, match="but a snapshot was taken up to 4: it was cut"):
        await enter_epoch(platform)


async def test_a_folder_of_an_epoch_that_postgres_has_forgotten_is_refused(
    platform: Platform,
) -> None:
    _save(replace(platform, epoch=2), 0)
    with pytest.raises(LogReplacedError, match="snapshots-2 belongs to an epoch of the log that"):
        await enter_epoch(platform)


def _save(platform: Platform, offset: int) -> None:
    (market,) = platform.topology
    platform.snapshots_of(market).save(
        StoredSnapshot(next_offset=offset, commands=offset, last_price_ticks=0, state=b"a book")
    )
