"""A router's connections to pairs' actors: found, shared, broken, found anew."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from ray.exceptions import RayActorError

from actors.pair import streams as module
from actors.pair.host import PairHost
from actors.pair.messages import Position, RangeRequest
from actors.pair.streams import ActorStreams
from actors.platform.config import PairConfig, RouterConfig, SnapshotPlace
from actors.platform.errors import PairUnavailableError
from actors.platform.topology import Topology
from actors.remote import actor as remote
from actors.remote.handle import Handle
from actors.stream.endpoint import Endpoint
from actors.stream.thread import ServingThread
from cluster.markets import default_topology

_MARKETS = tuple(default_topology())[:2]
_SHARED = Topology(_MARKETS, shared={market.pair: "quiet" for market in _MARKETS})
_TOKEN = "a token"


class _Ray:
    """What Ray would find: an actor of a class without Ray, or nothing."""

    def __init__(self) -> None:
        self.endpoint: Endpoint | None = None
        self.searches = 0

    def find(self, name: str, _: str) -> Handle[Any]:
        self.searches += 1
        if self.endpoint is None:
            raise ValueError("not now")
        method = SimpleNamespace(remote=self._answer)
        return Handle(SimpleNamespace(endpoint=method))  # type: ignore[arg-type]

    async def _answer(self) -> Endpoint:
        if self.endpoint is None:
            raise RayActorError()
        return self.endpoint


@pytest.fixture
def ray(monkeypatch: pytest.MonkeyPatch) -> _Ray:
    found = _Ray()
    monkeypatch.setattr(remote, "find_actor", found.find)
    monkeypatch.setattr(module, "own_node_id", lambda: "a-node")
    return found


@pytest.fixture
async def router() -> AsyncIterator[ActorStreams]:
    streams = ActorStreams(
        RouterConfig(kafka_bootstrap="", redis_url="", topology=_SHARED, stream_token=_TOKEN),
        timeout_s=2.0,
    )
    yield streams
    await streams.close()


@contextmanager
def _actor(folder: Path) -> Iterator[Endpoint]:
    folder.mkdir(exist_ok=True)
    config = PairConfig(
        markets=_MARKETS,
        snapshots=SnapshotPlace(folder=str(folder / "snapshots")),
        stream_token=_TOKEN,
    )
    thread = ServingThread(
        PairHost(config).serve,
        token=_TOKEN,
        node_id="a-node",
        host="127.0.0.1",
        folder=folder / "streams",
    )
    try:
        yield thread.endpoint
    finally:
        thread.stop()


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


async def test_pairs_of_an_actor_share_a_search_and_a_connection(
    ray: _Ray, router: ActorStreams, tmp_path: Path
) -> None:
    one, two = map(router.pair, _MARKETS)
    with pytest.raises(PairUnavailableError, match="has not been found"):
        one.apply(_range(_MARKETS[0].pair, 0))
    with _actor(tmp_path) as ray.endpoint:
        positions = await asyncio.gather(*(pair.position() for pair in (one, two)))
        assert positions == [Position(0, 0)] * 2
        assert ray.searches == 1
        answers = await asyncio.gather(
            *(one.apply(_range(_MARKETS[0].pair, offset)) for offset in range(3)),
            two.apply(_range(_MARKETS[1].pair, 0)),
        )
        assert [answer.applied and answer.applied.next_offset for answer in answers] == [1, 2, 3, 1]
        assert (await two.stats())["next_offset"] == 1
        assert len(await one.depth_messages(limit=3, top=1)) == 2
        await one.acknowledge(3)
        assert await one.rewind() == Position(0, 0)


async def test_an_actor_that_ended_is_away_until_the_next_is_found(
    ray: _Ray, router: ActorStreams, tmp_path: Path
) -> None:
    pair = router.pair(_MARKETS[0])
    with _actor(tmp_path / "first") as ray.endpoint:
        await pair.position()
        await pair.apply(_range(_MARKETS[0].pair, 0))
    ray.endpoint = None
    with pytest.raises(PairUnavailableError):
        await pair.apply(_range(_MARKETS[0].pair, 1))
    with pytest.raises(PairUnavailableError):
        await pair.position()
    with _actor(tmp_path / "second") as ray.endpoint:
        assert await pair.position() == Position(0, 0)
        assert (await pair.apply(_range(_MARKETS[0].pair, 0))).applied


async def test_a_pair_that_moved_is_followed_though_its_old_actor_lives(
    ray: _Ray, router: ActorStreams, tmp_path: Path
) -> None:
    pair = router.pair(_MARKETS[0])
    with _actor(tmp_path / "old") as ray.endpoint:
        await pair.position()
        await pair.apply(_range(_MARKETS[0].pair, 0))
        with _actor(tmp_path / "new") as ray.endpoint:
            assert await pair.position() == Position(0, 0)


async def test_an_actor_is_where_it_was_while_nobody_can_name_it(
    ray: _Ray, router: ActorStreams, tmp_path: Path
) -> None:
    pair = router.pair(_MARKETS[0])
    with pytest.raises(PairUnavailableError, match="not now"):
        await pair.position()
    with _actor(tmp_path) as ray.endpoint:
        await pair.position()
        await pair.apply(_range(_MARKETS[0].pair, 0))
        ray.endpoint = None
        assert await pair.position() == Position(1, 1)
