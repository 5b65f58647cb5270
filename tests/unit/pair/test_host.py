"""Pairs that share an actor: what one of them lacks does not keep the others."""

from dataclasses import replace
from pathlib import Path

import pytest

from actors.fold.stores import snapshot_store
from actors.pair.host import PairHost
from actors.platform.config import PairConfig, SnapshotPlace
from actors.platform.errors import SnapshotRefusedError
from cluster.markets import default_topology

_MARKETS = tuple(default_topology())[:2]


def _config(folder: Path) -> PairConfig:
    """Pairs of a later epoch, whose logs begin with books."""
    return PairConfig(markets=_MARKETS, snapshots=SnapshotPlace(folder=str(folder), epoch=2))


def _keep_book_of(config: PairConfig, at: int) -> None:
    """Keep the book with which the log of a pair begins: that of a pair of the first epoch."""
    market = _MARKETS[at]
    first_epoch = replace(config.snapshots, epoch=1)
    first = PairHost(replace(config, markets=(market,), snapshots=first_epoch))
    snapshot_store(config.snapshots, market, kept=2).save(first.export(market.pair))


def test_a_pair_without_its_book_refuses_until_it_is_there_and_the_others_serve(
    tmp_path: Path,
) -> None:
    config = _config(tmp_path)
    _keep_book_of(config, 0)
    host = PairHost(config)
    there, missing = (market.pair for market in _MARKETS)
    assert host.ping() == [there, missing]
    assert host.position(there).next_offset == 0
    with pytest.raises(SnapshotRefusedError, match=missing):
        host.position(missing)
    _keep_book_of(config, 1)
    assert host.position(missing).next_offset == 0


def test_a_pair_alone_does_not_start_without_its_book(tmp_path: Path) -> None:
    with pytest.raises(SnapshotRefusedError):
        PairHost(replace(_config(tmp_path), markets=_MARKETS[:1]))
