"""Which actors that live on a supervisor takes, with a Ray of names and configs alone."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
import ray

from actors.platform.config import Servers
from actors.platform.topology import Topology
from actors.remote.find import pair_actor_name
from actors.writer.status import WRITER_NAME
from cluster.markets import default_topology
from cluster.plan import Platform
from cluster.platform import supervisor as module
from cluster.platform.actors import PlannedActor, planned_actors
from cluster.platform.runtime import RayRuntime
from cluster.platform.supervisor import Supervisor

_MARKETS = tuple(default_topology())
_NAME = pair_actor_name(_MARKETS[0].pair)


class _Ray:
    """Named actors that answer at once; one that is forgotten takes no call after the first."""

    def __init__(self, namespace: str) -> None:
        self.namespace = namespace
        self.actors: dict[str, Any] = {}
        self.forgotten: set[str] = set()

    def put(self, name: str, config: object) -> None:
        asked = SimpleNamespace(remote=lambda: config)
        told = SimpleNamespace(remote=lambda _: self._told(name))
        self.actors[name] = SimpleNamespace(name=name, config=asked, follow=told)

    def list_named_actors(self, *, all_namespaces: bool) -> list[dict[str, str]]:
        assert all_namespaces
        return [{"name": name, "namespace": self.namespace} for name in self.actors]

    def get_actor(self, name: str, *, namespace: str) -> Any:
        assert namespace == self.namespace
        try:
            return self.actors[name]
        except KeyError:
            raise ValueError(f"there is no actor {name}") from None

    def kill(self, actor: Any, *, no_restart: bool) -> None:
        assert no_restart
        del self.actors[actor.name]

    def planned(self, platform: Platform) -> dict[str, PlannedActor]:
        """Return the actors of a platform, which are made here and only where there are none."""
        return {
            name: replace(planned, make=self._maker(name, planned.config))
            for name, planned in planned_actors(platform).items()
        }

    def _maker(self, name: str, config: object) -> Callable[[], Any]:
        def make() -> Any:
            if name not in self.actors:
                self.put(name, config)
            return self.actors[name]

        return make

    def _told(self, name: str) -> None:
        if name in self.forgotten:
            raise Exception("the handle is not valid")


class _Runtime:
    async def call(self, function: Callable[..., Any], *arguments: Any) -> Any:
        return function(*arguments)


@pytest.fixture
def platform(tmp_path: Path) -> Platform:
    return Platform(
        servers=Servers(kafka_bootstrap="kafka:9092", postgres_url="", redis_url=""),
        topology=Topology(_MARKETS[:1]),
        data_directory=str(tmp_path),
    )


@pytest.fixture
def named(platform: Platform, monkeypatch: pytest.MonkeyPatch) -> _Ray:
    named = _Ray(platform.namespace)

    def answered(
        references: Mapping[str, Any], *, timeout_s: float
    ) -> tuple[dict[str, Any], dict[str, str]]:
        assert timeout_s > 0
        return dict(references), {}

    monkeypatch.setattr(ray.util, "list_named_actors", named.list_named_actors)
    monkeypatch.setattr(ray, "get_actor", named.get_actor)
    monkeypatch.setattr(ray, "kill", named.kill)
    monkeypatch.setattr(module, "gather", answered)
    monkeypatch.setattr(module, "planned_actors", named.planned)
    return named


async def _make(platform: Platform) -> None:
    await Supervisor(platform, cast("RayRuntime", _Runtime())).make()


def _config(named: _Ray, name: str) -> object:
    return named.actors[name].config.remote()


async def test_no_generation_of_an_actor_to_be_made_anew_is_taken_for_it(
    platform: Platform, named: _Ray
) -> None:
    older = replace(platform, epoch=2).pair(_MARKETS[0].pair)
    named.put(_NAME, older)
    named.put(f"{_NAME}#1", older)
    await _make(platform)
    assert f"{_NAME}#1" not in named.actors
    assert _config(named, _NAME) == platform.pair(_MARKETS[0].pair)


async def test_a_follower_that_ray_forgets_before_it_is_told_is_made_anew(
    platform: Platform, named: _Ray
) -> None:
    grown = replace(platform, topology=Topology(_MARKETS[:2]))
    await _make(platform)
    named.forgotten.add(WRITER_NAME)
    await _make(grown)
    assert _config(named, WRITER_NAME) == grown.writer


async def test_an_actor_that_ends_while_it_is_looked_for_is_not_ended_again(
    platform: Platform, named: _Ray, monkeypatch: pytest.MonkeyPatch
) -> None:
    stranger = pair_actor_name("NO-PAIR")
    named.put(stranger, None)

    def gone(name: str, *, namespace: str) -> Any:
        if name == stranger:
            raise ValueError("there is no such actor")
        return named.get_actor(name, namespace=namespace)

    monkeypatch.setattr(ray, "get_actor", gone)
    await _make(platform)
    assert _config(named, _NAME) == platform.pair(_MARKETS[0].pair)
