"""The router with real actors in processes of their own, which are killed under load."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from functools import partial
from itertools import count
from pathlib import Path

import psutil
import pytest
from ray.exceptions import RayActorError

from actors.book.market import Market
from actors.log.commands import KafkaCommandLog
from actors.pair.builder import pair_actor
from actors.pair.ports import PairInterface
from actors.pair.streams import ActorStreams
from actors.platform.config import Servers
from actors.platform.errors import PairUnavailableError
from actors.platform.topology import Topology
from actors.remote.handle import Handle
from actors.router.router import OrderRouter
from cluster.plan import Platform
from cluster.tools.chaos import sockets
from cluster.tools.chaos.plan import Action, Fault, Target
from cluster.tools.chaos.streams import break_stream
from tests.beds.commands import flow
from tests.beds.leases import MarketLeases
from tests.beds.routing import (
    Judge,
    append_singly,
    command_log,
    make_platform,
    running,
)
from tests.beds.waiting import until

_PORTS = range(31_200, 31_210)


@pytest.fixture
async def own_markets(leases: MarketLeases) -> list[Market]:
    """Give a test two markets whose logs nobody else has written to."""
    return await leases.markets(2)


@asynccontextmanager
async def routed(platform: Platform) -> AsyncIterator[OrderRouter]:
    """Run a router with streams of its own to the actors."""
    streams = ActorStreams(platform.router(), timeout_s=5.0)
    try:
        async with running(OrderRouter(platform.router(), connect=streams.pair)) as router:
            yield router
    finally:
        await streams.close()


def made(platform: Platform, actor: str) -> Handle[PairInterface]:
    config = platform.pair(actor)
    return pair_actor(config, actor=actor, namespace=platform.namespace)


async def process_of(handle: Handle[PairInterface]) -> int:
    return await handle.run(lambda _: os.getpid())


async def state_hash(handle: Handle[PairInterface], one: Market) -> int:
    return (await handle.submit(PairInterface.fingerprint, one.pair)).state_hash


class _Load:
    """Orders into every market, one record each, until it is left."""

    def __init__(self, log: KafkaCommandLog, markets: list[Market]) -> None:
        self._log = log
        self._markets = markets
        self._stopped = False
        self._sent = asyncio.Event()
        self._task = asyncio.create_task(self._run())

    async def everywhere(self) -> None:
        """Return when every market has had orders."""
        await self._sent.wait()

    async def stop(self) -> None:
        self._stopped = True
        await self._task

    async def _run(self) -> None:
        for batch in count():
            if self._stopped:
                return
            for one in self._markets:
                commands = flow(25, first_order_id=1 + 100 * batch, seed=batch)
                await append_singly(self._log, one, commands)
            self._sent.set()
            await asyncio.sleep(0.02)


async def test_an_actor_killed_under_load_loses_nothing_and_doubles_nothing(
    servers: Servers, ray_session: str, own_markets: list[Market], tmp_path: Path
) -> None:
    platform = make_platform(servers, own_markets, tmp_path, snapshot_every_commands=200)
    victim, neighbour = own_markets
    handles = {m.pair: made(platform, m.pair) for m in own_markets}
    snapshots = tmp_path / "snapshots" / victim.pair

    async def a_snapshot_is_there() -> bool:
        return any(snapshots.glob("*.snapshot"))

    try:
        async with routed(platform) as router, command_log(platform) as log:
            load = _Load(log, own_markets)
            await until(a_snapshot_is_there, what="a snapshot")
            for _ in range(2):
                killed = await _patiently(process_of, handles[victim.pair])
                os.kill(killed, signal.SIGKILL)

                async def another_answers(killed: int = killed) -> bool:
                    return await _patiently(process_of, handles[victim.pair]) != killed

                await until(another_answers, what="a new process")
            await load.stop()
            hashes = {one.pair: await Judge(platform, one).rule() for one in own_markets}
            await append_singly(log, victim, flow(50, first_order_id=900_000))
            hashes[victim.pair] = await Judge(platform, victim).rule()
            for one in own_markets:
                assert await state_hash(handles[one.pair], one) == hashes[one.pair]
            assert router.lags()[neighbour.pair].available
        stats = await handles[victim.pair].submit(PairInterface.stats, victim.pair)
        assert stats["restored_offset"] > 0
    finally:
        for handle in handles.values():
            handle.end()


@pytest.mark.skipif(not sockets.possible(), reason="other processes' sockets take root")
async def test_a_stream_broken_under_load_loses_nothing_and_doubles_nothing(
    servers: Servers, ray_session: str, own_markets: list[Market], tmp_path: Path
) -> None:
    platform = replace(
        make_platform(servers, own_markets, tmp_path, snapshot_every_commands=200),
        stream_ports=(_PORTS[0], _PORTS[-1]),
    )
    handles = {m.pair: made(platform, m.pair) for m in own_markets}
    victim = own_markets[0]
    try:
        process = psutil.Process(await process_of(handles[victim.pair]))
        async with routed(platform), command_log(platform) as log:
            load = _Load(log, own_markets)
            await load.everywhere()
            # Once its file is stale, the router goes on by port.
            for action in (Action.CUT, Action.TEAR, Action.STALE, Action.TEAR, Action.CUT):
                fault = Fault(
                    target=Target.STREAM, action=action, after_s=0.0, lasts_s=0.0, pick=0.0
                )
                await until(
                    partial(break_stream, process, fault, ports=_PORTS), what="a stream to break"
                )
            await load.stop()
            for one in own_markets:
                folded = await Judge(platform, one).rule()
                assert await state_hash(handles[one.pair], one) == folded
        assert process.is_running()
    finally:
        for handle in handles.values():
            handle.end()


async def _patiently(
    question: Callable[[Handle[PairInterface]], Awaitable[int]], handle: Handle[PairInterface]
) -> int:
    answers: list[int] = []

    async def answered() -> bool:
        try:
            answers.append(await question(handle))
        except RayActorError:
            return False
        return True

    await until(answered, what="an actor that answers")
    return answers[0]


async def test_a_pair_without_an_actor_is_waited_for(
    servers: Servers, ray_session: str, own_markets: list[Market], tmp_path: Path
) -> None:
    late = own_markets[0]
    platform = make_platform(servers, [late], tmp_path)
    streams = ActorStreams(platform.router())
    with pytest.raises(PairUnavailableError, match="there is no actor"):
        await streams.pair(late).position()
    await streams.close()
    async with routed(platform), command_log(platform) as log:
        await append_singly(log, late, flow(100))
        handle = await asyncio.to_thread(made, platform, late.pair)
        try:
            assert await Judge(platform, late).rule() == await state_hash(handle, late)
        finally:
            handle.end()


async def test_two_quiet_pairs_share_an_actor_and_die_and_come_back_together(
    servers: Servers, ray_session: str, own_markets: list[Market], tmp_path: Path
) -> None:
    shared = {one.pair: "quiet" for one in own_markets}
    platform = replace(
        make_platform(servers, own_markets, tmp_path, snapshot_every_commands=50),
        topology=Topology(tuple(own_markets), shared=shared),
    )
    handle = await asyncio.to_thread(made, platform, "quiet")
    try:
        assert await handle.submit(PairInterface.ping) == [one.pair for one in own_markets]
        async with routed(platform), command_log(platform) as log:
            for one in own_markets:
                await append_singly(log, one, flow(100))
                await Judge(platform, one).rule()
            os.kill(await process_of(handle), signal.SIGKILL)
            for one in own_markets:
                await append_singly(log, one, flow(50, first_order_id=5_000))
                assert await Judge(platform, one).rule() == await _patiently(
                    partial(state_hash, one=one), handle
                )
    finally:
        handle.end()


async def test_the_builder_answers_the_actor_that_is_there(
    servers: Servers, ray_session: str, own_markets: list[Market], tmp_path: Path
) -> None:
    platform = make_platform(servers, own_markets, tmp_path)
    first = await asyncio.to_thread(made, platform, own_markets[0].pair)
    try:
        again = await asyncio.to_thread(made, platform, own_markets[0].pair)
        assert await process_of(first) == await process_of(again)
        assert await first.submit(PairInterface.ping) == [own_markets[0].pair]
    finally:
        first.end()
