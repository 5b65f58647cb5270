"""Pairs that share an actor: what one of them lacks does not keep the others."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from threading import Event
from typing import Any

import msgspec
import pytest

from actors.fold.stores import snapshot_store
from actors.pair.actor import PairActor
from actors.pair.host import PairHost
from actors.pair.messages import (
    AcknowledgeRequest,
    DepthRequest,
    PairRequest,
    Position,
    PositionRequest,
    RangeAnswer,
    RangeRequest,
    RewindRequest,
    StatsRequest,
)
from actors.platform.config import PairConfig, SnapshotPlace
from actors.platform.errors import SnapshotRefusedError
from actors.platform.messages import DepthSnapshot
from cluster.markets import default_topology

_WAIT_S = 10.0
_MARKETS = tuple(default_topology())[:2]


def _config(folder: Path) -> PairConfig:
    """Pairs of a later epoch, whose logs begin with books."""
    return PairConfig(
        markets=_MARKETS,
        snapshots=SnapshotPlace(folder=str(folder), epoch=2),
        stream_token="a token",
    )


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


def _asked(host: PairHost, request: PairRequest, answer: type[Any]) -> Any:
    return msgspec.msgpack.decode(host.serve(msgspec.msgpack.encode(request)), type=answer)


def _range(pair: str, first_offset: int) -> RangeRequest:
    return RangeRequest(
        pair=pair,
        first_offset=first_offset,
        next_offset=first_offset + 1,
        acknowledged=0,
        depth_levels=0,
        depth_top=0,
        values=[b"a poison record"],
    )


def test_every_request_of_a_stream_reaches_the_pair_that_it_is_for(tmp_path: Path) -> None:
    host = PairHost(replace(_config(tmp_path), snapshots=SnapshotPlace(folder=str(tmp_path))))
    other, pair = (market.pair for market in _MARKETS)
    applied = _asked(host, _range(pair, 0), RangeAnswer).applied
    assert (applied.next_offset, applied.last_sequence) == (1, 1)
    assert _asked(host, _range(pair, 5), RangeAnswer).refused.needed_offset == 1
    assert _asked(host, PositionRequest(pair), Position) == Position(1, 1)
    assert _asked(host, PositionRequest(other), Position) == Position(0, 0)
    assert _asked(host, StatsRequest(pair), dict[str, Any])["commands"] == 1
    depths = _asked(host, DepthRequest(pair, 5, 1), tuple[bytes, bytes])
    assert [msgspec.msgpack.decode(one, type=DepthSnapshot).sequence for one in depths] == [1, 1]
    assert _asked(host, AcknowledgeRequest(pair, 1), type(None)) is None
    assert _asked(host, RewindRequest(pair), Position) == Position(0, 0)


def test_what_asks_by_ray_waits_for_what_came_by_stream(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    host = PairHost(replace(_config(tmp_path), snapshots=SnapshotPlace(folder=str(tmp_path))))
    pair = _MARKETS[0].pair
    begun, go_on = Event(), Event()
    answer = PairActor.answer

    def slowly(self: PairActor, asked: RangeRequest) -> bytes:
        begun.set()
        go_on.wait(_WAIT_S)
        return answer(self, asked)

    monkeypatch.setattr(PairActor, "answer", slowly)
    with ThreadPoolExecutor(2) as threads:
        applying = threads.submit(_asked, host, _range(pair, 0), RangeAnswer)
        assert begun.wait(_WAIT_S)
        standing = threads.submit(host.position, pair)
        with pytest.raises(TimeoutError):
            standing.result(0.1)
        go_on.set()
        assert applying.result(_WAIT_S).applied.next_offset == 1
        assert standing.result(_WAIT_S) == Position(1, 1)
