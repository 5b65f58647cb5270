"""What a living actor can be told, and for what it has to be made anew."""

from dataclasses import replace
from pathlib import Path

import pytest

from actors.platform.config import PairLimits, Servers, WriterConfig
from actors.platform.topology import Topology
from actors.remote.find import pair_actor_name
from actors.writer.status import WRITER_NAME
from analytics.client import CANDLES_NAME
from cluster.markets import default_topology
from cluster.plan import Platform
from cluster.platform.actors import planned_actors

_MARKETS = tuple(default_topology())
_PAIR = _MARKETS[0].pair


@pytest.fixture
def platform(tmp_path: Path) -> Platform:
    return Platform(
        servers=Servers(kafka_bootstrap="kafka:9092", postgres_url="", redis_url=""),
        topology=Topology(_MARKETS[:2]),
        data_directory=str(tmp_path),
    )


def test_a_follower_can_be_told_of_other_markets_and_of_nothing_else(platform: Platform) -> None:
    planned = planned_actors(platform)
    before = replace(platform, topology=Topology(_MARKETS[:1]))
    elsewhere = replace(before, servers=replace(before.servers, kafka_bootstrap="other:9092"))
    assert planned[WRITER_NAME].news(before.writer) == platform.topology
    assert planned[CANDLES_NAME].news(before.candles) == platform.topology
    assert planned[WRITER_NAME].news(elsewhere.writer) is None
    assert planned[CANDLES_NAME].news(elsewhere.candles) is None
    assert planned[WRITER_NAME].news(before.candles) is None
    assert planned[WRITER_NAME].news(None) is None


def test_a_pairs_actor_cannot_be_told_anything(platform: Platform) -> None:
    planned = planned_actors(platform)[pair_actor_name(_PAIR)]
    assert planned.news(replace(platform, epoch=2).pair(_PAIR)) is None


def test_an_actor_of_an_older_build_is_not_the_one_that_is_planned(platform: Platform) -> None:
    planned = planned_actors(platform)[WRITER_NAME]
    # A pickled config has its values in order: an older one, of fewer fields, ends early.
    older = object.__new__(WriterConfig)
    older.__setstate__(["kafka:9092"])  # type: ignore[attr-defined]
    assert planned.is_met_by(platform.writer)
    assert not planned.is_met_by(older)
    assert planned.news(older) is None


def test_a_default_is_no_answer_for_what_an_older_build_did_not_hold(platform: Platform) -> None:
    planned = planned_actors(platform)[pair_actor_name(_PAIR)]
    config = platform.pair(_PAIR)
    limits = object.__new__(PairLimits)
    vars(limits).update(snapshot_every_commands=config.limits.snapshot_every_commands)
    assert planned.is_met_by(replace(config, limits=replace(config.limits)))
    assert not planned.is_met_by(replace(config, limits=limits))


def test_writer_and_candles_of_another_epoch_are_not_those_that_are_planned(
    platform: Platform,
) -> None:
    planned, before = planned_actors(replace(platform, epoch=2)), platform
    for name, known in ((WRITER_NAME, before.writer), (CANDLES_NAME, before.candles)):
        assert not planned[name].is_met_by(known)
        assert planned[name].news(known) is None


def test_a_platform_has_an_actor_for_each_pair_or_group_of_pairs(platform: Platform) -> None:
    shared = {market.pair: "quiet" for market in platform.topology}
    together = replace(platform, topology=Topology(_MARKETS[:2], shared=shared))
    followers = {WRITER_NAME, CANDLES_NAME}
    pairs = {pair_actor_name(market.pair) for market in platform.topology}
    assert set(planned_actors(platform)) == followers | pairs
    assert set(planned_actors(together)) == followers | {pair_actor_name("quiet")}
