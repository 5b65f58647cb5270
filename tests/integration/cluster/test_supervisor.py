"""The supervisor on a real Ray: it makes actors once, and again when Ray has lost them."""

import asyncio
import contextlib
import os
import signal
import time
from collections.abc import AsyncIterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import ray

from actors.pair.builder import pair_actor
from actors.pair.ports import PairInterface
from actors.platform.errors import ActorUnavailableError
from actors.platform.topology import Topology
from actors.remote.find import find_actor, generations, pair_actor_name
from actors.remote.handle import Handle, ask
from actors.writer.ports import WriterInterface
from actors.writer.status import WRITER_NAME
from analytics.client import CANDLES_NAME
from analytics.ports import CandlesInterface
from cluster.plan import Platform
from cluster.platform.runtime import RayRuntime, remove
from cluster.platform.supervisor import Supervisor

_NAMESPACE = "forkast-supervisor-test"
_PAIR, _ADDED = "BTC-USD", "ETH-USD"
_DEADLINE_S = 60.0


class _OfAnOlderBuild:
    """An actor that cannot be asked what it works with."""


@pytest.fixture
async def runtime(ray_session: str) -> AsyncIterator[RayRuntime]:
    """A runtime on the Ray of the session."""
    runtime = RayRuntime(address="", object_store_mb=80)
    yield runtime
    remove(runtime.directory)


@pytest.fixture
def own(platform: Platform, tmp_path: Path) -> Platform:
    """A platform of one market in a namespace of its own."""
    return replace(
        platform,
        topology=Topology((platform.topology.market(_PAIR),)),
        namespace=_NAMESPACE,
        data_directory=str(tmp_path),
    )


@pytest.fixture
async def supervisor(own: Platform, runtime: RayRuntime) -> AsyncIterator[Supervisor]:
    """A supervisor of one market in a namespace of its own."""
    supervisor = Supervisor(own, runtime)
    yield supervisor
    await supervisor.remove()


@contextlib.asynccontextmanager
async def watching(supervisor: Supervisor) -> AsyncIterator[None]:
    watch = asyncio.create_task(supervisor.watch())
    try:
        yield
    finally:
        watch.cancel()
        await asyncio.gather(watch, return_exceptions=True)


async def test_actors_are_made_once_and_again_when_ray_has_lost_them(
    supervisor: Supervisor,
) -> None:
    handles = await made_by(supervisor)
    assert set(handles) == {pair_actor_name(_PAIR), WRITER_NAME, CANDLES_NAME}
    assert await supervisor.make() == handles
    lost = handles[pair_actor_name(_PAIR)]
    async with watching(supervisor):
        await asyncio.to_thread(lost.end)
        made = await asyncio.to_thread(_another, pair_actor_name(_PAIR), lost)
        position = made.submit(PairInterface.position, _PAIR)
        assert await asyncio.to_thread(ask, position, timeout_s=_DEADLINE_S)


async def test_no_generation_of_an_actor_to_be_made_anew_lives_on(
    supervisor: Supervisor, own: Platform
) -> None:
    limits = replace(own.limits, snapshots_kept=own.limits.snapshots_kept + 1)
    other = replace(own, limits=limits).pair(_PAIR)
    for generation in range(2):
        await asyncio.to_thread(
            pair_actor, other, actor=_PAIR, namespace=_NAMESPACE, generation=generation
        )
    handles = await made_by(supervisor)
    assert generations(pair_actor_name(_PAIR), _NAMESPACE) == [0]
    config = handles[pair_actor_name(_PAIR)].submit(PairInterface.config)
    assert await asyncio.to_thread(ask, config, timeout_s=_DEADLINE_S) == own.pair(_PAIR)


async def test_only_a_change_that_an_actor_cannot_take_over_remakes_it(
    supervisor: Supervisor, own: Platform, platform: Platform, runtime: RayRuntime
) -> None:
    handles = await made_by(supervisor)
    processes = await processes_of(handles)
    opened = replace(own, allowed_origins=("https://a.example",), operator_token="another")
    assert await made_by(Supervisor(opened, runtime)) == handles
    assert await processes_of(handles) == processes

    markets = tuple(platform.topology.market(pair) for pair in (_PAIR, _ADDED))
    grown = replace(opened, topology=Topology(markets))
    following = Supervisor(grown, runtime)
    more = await made_by(following)
    try:
        assert more.keys() - handles.keys() == {pair_actor_name(_ADDED)}
        assert {name: more[name] for name in handles} == handles
        assert {name: (await processes_of(more))[name] for name in handles} == processes
        assert await followed_by(more) == [grown.topology, grown.topology]

        killed = processes[WRITER_NAME]
        os.kill(killed, signal.SIGKILL)
        async with watching(following):
            await asyncio.to_thread(_until_another_follows, more[WRITER_NAME], killed, grown)

        address = own.servers.kafka_bootstrap.replace("127.0.0.1", "localhost")
        moved = replace(grown, servers=replace(own.servers, kafka_bootstrap=address))
        anew = await made_by(Supervisor(moved, runtime))
        same = {name for name, handle in anew.items() if handle == more[name]}
        assert same == {pair_actor_name(_PAIR), pair_actor_name(_ADDED)}
        limits = replace(own.limits, snapshots_kept=own.limits.snapshots_kept + 1)
        later = await made_by(Supervisor(replace(moved, limits=limits), runtime))
        same = {name for name, handle in later.items() if handle == anew[name]}
        assert same == {WRITER_NAME, CANDLES_NAME}
    finally:
        await following.remove()


async def test_actors_of_an_older_build_are_made_anew_and_those_of_no_market_end(
    supervisor: Supervisor, own: Platform, platform: Platform, runtime: RayRuntime
) -> None:
    older: Any = ray.remote(_OfAnOlderBuild).options(
        name=WRITER_NAME, namespace=_NAMESPACE, lifetime="detached", num_cpus=0
    )
    older = Handle[Any](await asyncio.to_thread(older.remote))
    handles = await made_by(supervisor)
    assert handles[WRITER_NAME] != older
    config = handles[WRITER_NAME].submit(WriterInterface.config)
    assert await asyncio.to_thread(ask, config, timeout_s=_DEADLINE_S) == own.writer
    pairs = (_PAIR, _ADDED)
    grown = replace(
        own,
        topology=Topology(
            tuple(platform.topology.market(pair) for pair in pairs),
            shared=dict.fromkeys(pairs, "quiet"),
        ),
    )
    following = Supervisor(grown, runtime)
    try:
        made = await made_by(following)
        assert set(made) == {pair_actor_name("quiet"), WRITER_NAME, CANDLES_NAME}
        answered = made[pair_actor_name("quiet")].submit(PairInterface.ping)
        assert await asyncio.to_thread(ask, answered, timeout_s=_DEADLINE_S) == list(pairs)
        with pytest.raises(ValueError, match="actor"):
            await asyncio.to_thread(find_actor, pair_actor_name(_PAIR), _NAMESPACE)
    finally:
        await following.remove()


async def made_by(supervisor: Supervisor) -> dict[str, Handle[Any]]:
    """Return the handles of a supervisor's actors, which all answer."""
    handles = await supervisor.make()
    await supervisor.wait(handles)
    return handles


async def processes_of(handles: Mapping[str, Handle[Any]]) -> dict[str, int]:
    return {name: await handle.run(lambda _: os.getpid()) for name, handle in handles.items()}


async def followed_by(handles: Mapping[str, Handle[Any]]) -> list[Topology]:
    writer: Handle[WriterInterface] = handles[WRITER_NAME]
    candles: Handle[CandlesInterface] = handles[CANDLES_NAME]
    return [
        (await writer.submit(WriterInterface.config)).topology,
        (await candles.submit(CandlesInterface.config)).topology,
    ]


def _until_another_follows(
    writer: Handle[WriterInterface], killed: int, platform: Platform
) -> None:
    """Return when the writer works for this platform, in another process than the killed one."""
    deadline = time.monotonic() + _DEADLINE_S
    while time.monotonic() < deadline:
        with contextlib.suppress(ActorUnavailableError):
            process = ask(writer.run(lambda _: os.getpid()), timeout_s=5)
            known = ask(writer.submit(WriterInterface.config), timeout_s=5)
            if process != killed and known == platform.writer:
                return
        time.sleep(0.2)
    raise AssertionError("the writer was not told of the markets again")


def _another(name: str, lost: Handle[Any]) -> Handle[Any]:
    deadline = time.monotonic() + _DEADLINE_S
    while time.monotonic() < deadline:
        try:
            found = find_actor(name, _NAMESPACE)
        except ValueError:
            found = lost
        if found != lost:
            return found
        time.sleep(0.2)
    raise AssertionError(f"{name} was not made again")
