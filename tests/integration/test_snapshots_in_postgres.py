"""Snapshots in Postgres: what one machine keeps, another starts from."""

import uuid

import asyncpg
import numpy as np
import pytest

from actors.fold.ports import StoredSnapshot
from actors.fold.snapshots_postgres import Patience, PostgresSnapshotStore
from actors.platform.config import Servers


@pytest.fixture
def pair() -> str:
    """A pair that no other test knows."""
    return f"T{uuid.uuid4().hex[:8].upper()}-USD"


def _snapshot(offset: int) -> StoredSnapshot:
    return StoredSnapshot(
        next_offset=offset, commands=offset, last_price_ticks=7, state=bytes(1_000)
    )


def _kept(store: PostgresSnapshotStore, *offsets: int) -> None:
    for offset in offsets:
        store.save(_snapshot(offset))


async def test_another_store_of_the_pair_loads_the_newest_first(
    servers: Servers, pair: str
) -> None:
    _kept(PostgresSnapshotStore(servers.postgres_url, pair=pair, kept=2), 10, 30, 20)
    other = PostgresSnapshotStore(servers.postgres_url, pair=pair, kept=2)
    assert list(other.load()) == [_snapshot(30), _snapshot(20)]


async def test_an_image_of_many_pieces_comes_back_whole(servers: Servers, pair: str) -> None:
    state = np.random.default_rng(3).bytes(1_000_003)
    large = StoredSnapshot(next_offset=9, commands=9, last_price_ticks=7, state=state)
    store = PostgresSnapshotStore(servers.postgres_url, pair=pair, kept=2)
    for _ in range(2):
        store.save(large)
    assert [one.state for one in store.load()] == [state]


def test_stores_of_one_process_wait_once_for_a_postgres_that_is_away(unused_tcp_port: int) -> None:
    patience = Patience(seconds=0)
    for name in ("A", "B"):
        url = f"postgresql://nobody@127.0.0.1:{unused_tcp_port}/none"
        store = PostgresSnapshotStore(url, pair=name, kept=2, patience=patience)
        assert list(store.load()) == []
        assert patience.over()
    patience.renew()


async def test_a_torn_row_is_passed_over_for_the_one_before(servers: Servers, pair: str) -> None:
    store = PostgresSnapshotStore(servers.postgres_url, pair=pair, kept=2)
    _kept(store, 10, 20)
    connection = await asyncpg.connect(servers.postgres_url)
    await connection.execute(
        "UPDATE snapshots SET image = substr(image, 1, 500) WHERE pair = $1 AND next_offset = 20",
        pair,
    )
    await connection.close()
    assert [snapshot.next_offset for snapshot in store.load()] == [10]


def test_a_server_that_is_away_costs_a_snapshot_and_not_the_market(
    monkeypatch: pytest.MonkeyPatch, pair: str
) -> None:
    monkeypatch.setattr("actors.fold.snapshots_postgres._LOAD_S", 0.2)
    store = PostgresSnapshotStore("postgresql://forkast@127.0.0.1:1/none", pair=pair, kept=2)
    with pytest.raises(OSError, match="Postgres did not take it"):
        store.save(_snapshot(10))
    assert list(store.load()) == []


async def test_epochs_do_not_see_each_other_and_a_later_ones_first_is_kept(
    servers: Servers, pair: str
) -> None:
    first = PostgresSnapshotStore(servers.postgres_url, pair=pair, kept=2)
    second = PostgresSnapshotStore(servers.postgres_url, pair=pair, kept=2, epoch=2)
    _kept(first, 10, 20, 30)
    _kept(second, 5, 10, 20, 30)
    assert first.offsets() == [30, 20]
    assert second.offsets() == [30, 20, 5]
    assert list(second.load()) == [_snapshot(30), _snapshot(20), _snapshot(5)]
    assert (first.begins_empty, second.begins_empty) == (True, False)
