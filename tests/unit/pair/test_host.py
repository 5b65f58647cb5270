"""Pairs that share an actor: what one of them lacks does not keep the others."""

from pathlib import Path

import pytest

from actors.fold.ports import StoredSnapshot
from actors.fold.stores import snapshot_store
from actors.pair.host import PairHost
from actors.platform.config import Limits, Platform, Servers
from actors.platform.errors import SnapshotRefusedError
from actors.platform.topology import Topology
from cluster.markets import default_topology

_MARKETS = tuple(default_topology())[:2]


def _platform(folder: Path) -> Platform:
    """A platform of a later epoch, whose logs begin with books."""
    return Platform(
        servers=Servers(kafka_bootstrap="", postgres_url="", redis_url=""),
        topology=Topology(_MARKETS),
        data_directory=str(folder),
        limits=Limits(),
        epoch=2,
    )


def _keep_book_of(platform: Platform, at: int) -> None:
    """Keep the book with which the log of a pair begins: that of a pair of the first epoch."""
    market = _MARKETS[at]
    first = PairHost(
        Platform(
            servers=platform.servers,
            topology=platform.topology,
            data_directory=platform.data_directory,
        ),
        [market],
    )
    book: StoredSnapshot = first.call(market.pair, "export")
    snapshot_store(platform, market).save(book)


def test_a_pair_without_its_book_refuses_until_it_is_there_and_the_others_serve(
    tmp_path: Path,
) -> None:
    platform = _platform(tmp_path)
    _keep_book_of(platform, 0)
    host = PairHost(platform, _MARKETS)
    there, missing = (market.pair for market in _MARKETS)
    assert host.ping() == [there, missing]
    assert host.call(there, "position").next_offset == 0
    with pytest.raises(SnapshotRefusedError, match=missing):
        host.call(missing, "position")
    _keep_book_of(platform, 1)
    assert host.call(missing, "position").next_offset == 0


def test_a_pair_alone_does_not_start_without_its_book(tmp_path: Path) -> None:
    with pytest.raises(SnapshotRefusedError):
        PairHost(_platform(tmp_path), _MARKETS[:1])
