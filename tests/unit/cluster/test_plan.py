"""What each kind of process is told of its platform: what it uses, and no secret beside."""

import pickle
from dataclasses import replace
from pathlib import Path

import pytest

from actors.platform.config import Limits, Servers
from actors.platform.topology import Topology
from cluster.markets import default_topology
from cluster.plan import Platform

_PASSWORD, _REDIS_PASSWORD, _TOKEN = "pg-password", "redis-password", "operator-token"
_STREAM = "stream-token"
_SECRETS = (_PASSWORD, _REDIS_PASSWORD, _TOKEN, _STREAM)
_MARKETS = tuple(default_topology())


@pytest.fixture
def platform(tmp_path: Path) -> Platform:
    return Platform(
        servers=Servers(
            kafka_bootstrap="kafka:9092",
            postgres_url=f"postgresql://forkast:{_PASSWORD}@db/forkast",
            redis_url=f"redis://:{_REDIS_PASSWORD}@redis/0",
        ),
        topology=Topology(_MARKETS[:3]),
        data_directory=str(tmp_path),
        limits=Limits(snapshots_kept=5, range_bytes=77),
        operator_token=_TOKEN,
        stream_token=_STREAM,
    )


def _knows(config: object) -> set[str]:
    pickled = pickle.dumps(config)
    return {word for word in _SECRETS if word.encode() in pickled}


def test_secrets_reach_only_those_who_use_them(platform: Platform) -> None:
    pair = _MARKETS[0].pair
    assert _knows(platform) == set(_SECRETS)
    assert _knows(platform.pair(pair)) == {_STREAM}
    assert _knows(replace(platform, snapshots="postgres").pair(pair)) == {_PASSWORD, _STREAM}
    assert _knows(platform.router()) == {_REDIS_PASSWORD, _STREAM}
    assert _knows(platform.writer) == {_PASSWORD}
    assert _knows(platform.candles) == {_PASSWORD, _REDIS_PASSWORD}
    assert _TOKEN in _knows(platform.gateway)
    assert not {_TOKEN, _STREAM} & _knows(platform.hub)
    assert _STREAM not in _knows(platform.gateway)


def test_what_does_not_concern_a_pair_leaves_its_config_as_it_is(platform: Platform) -> None:
    pair = _MARKETS[0].pair
    changed = replace(
        platform,
        topology=Topology(_MARKETS[:4]),
        allowed_origins=("https://a.example",),
        operator_token="another",
        limits=replace(platform.limits, waiters=1),
    )
    assert changed.pair(pair) == platform.pair(pair)
    assert replace(platform, epoch=2).pair(pair) != platform.pair(pair)


def test_the_order_of_the_markets_file_changes_no_actors_config(platform: Platform) -> None:
    shared = {market.pair: "quiet" for market in _MARKETS[:3]}
    forth = replace(platform, topology=Topology(_MARKETS[:3], shared=shared))
    back = replace(platform, topology=Topology(_MARKETS[2::-1], shared=shared))
    assert back.pair("quiet") == forth.pair("quiet")
    assert (back.topology, hash(back.topology)) == (forth.topology, hash(forth.topology))


def test_every_bound_reaches_the_process_that_keeps_it(platform: Platform) -> None:
    assert platform.pair(_MARKETS[0].pair).limits.snapshots_kept == 5
    assert platform.router().limits.range_bytes == 77


def test_a_router_is_told_of_its_own_shard_alone(platform: Platform) -> None:
    shared = {market.pair: "quiet" for market in _MARKETS[1:3]}
    spread = replace(platform, topology=Topology(_MARKETS[:3], shared=shared))
    shards = [spread.router(shard=shard, shards=2).topology for shard in range(2)]
    assert [[market.market_id for market in one] for one in shards] == [[2], [1, 3]]
    assert [one.actor(market.pair) for one in shards for market in one] == [
        "quiet",
        _MARKETS[0].pair,
        "quiet",
    ]
