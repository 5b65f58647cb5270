"""The router with real actors in processes of their own, which are killed under load."""

import asyncio
import os
import signal
from dataclasses import replace
from itertools import count
from pathlib import Path
from typing import Any

import pytest
import ray

from actors.book.market import Market
from actors.log.commands import KafkaCommandLog
from actors.pair.builder import pair_actor
from actors.pair.client import RemotePair
from actors.platform.config import Platform, Servers
from actors.platform.errors import PairUnavailableError
from actors.platform.topology import Topology
from actors.router.router import OrderRouter
from tests.beds.commands import flow, market
from tests.beds.routing import (
    Judge,
    append_singly,
    command_log,
    make_platform,
    running,
    until,
    widen_topics,
)

_MARKET_IDS = count(33)
_PARTITIONS = 40


@pytest.fixture
async def own_markets(servers: Servers) -> list[Market]:
    """Give a test two markets whose logs nobody else has written to."""
    await widen_topics(servers, _PARTITIONS)
    return [market(next(_MARKET_IDS)) for _ in range(2)]


def make_router(platform: Platform) -> OrderRouter:
    return OrderRouter(
        platform,
        connect=lambda m: RemotePair(
            pair=m.pair,
            actor=platform.topology.actor(m.pair),
            namespace=platform.namespace,
            timeout_s=5.0,
        ),
    )


async def process_of(handle: Any) -> int:
    return int(await handle.__ray_call__.remote(lambda _: os.getpid()))


async def _asked(handle: Any, one: Market, method: str) -> Any:
    return await handle.call.remote(one.pair, method)


class _Load:
    """Orders into every market, one record each, until it is left."""

    def __init__(self, log: KafkaCommandLog, markets: list[Market]) -> None:
        self._log = log
        self._markets = markets
        self._stopped = False
        self._task = asyncio.create_task(self._run())

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
            await asyncio.sleep(0.02)


async def test_an_actor_killed_under_load_loses_nothing_and_doubles_nothing(
    servers: Servers, ray_session: str, own_markets: list[Market], tmp_path: Path
) -> None:
    platform = make_platform(servers, own_markets, tmp_path, snapshot_every_commands=200)
    victim, neighbour = own_markets
    handles = {m.pair: pair_actor(platform, m.pair) for m in own_markets}
    snapshots = tmp_path / "snapshots" / victim.pair

    async def a_snapshot_is_there() -> bool:
        return any(snapshots.glob("*.snapshot"))

    try:
        async with running(make_router(platform)) as router, command_log(platform) as log:
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
                assert await _asked(handles[one.pair], one, "state_hash") == hashes[one.pair]
            assert router.lags()[neighbour.pair].available
        stats = await _asked(handles[victim.pair], victim, "stats")
        assert stats["restored_offset"] > 0
    finally:
        for handle in handles.values():
            ray.kill(handle)


async def _patiently(question: Any, handle: Any) -> int:
    answers: list[int] = []

    async def answered() -> bool:
        try:
            answers.append(await question(handle))
        except ray.exceptions.RayActorError:
            return False
        return True

    await until(answered, what="an actor that answers")
    return answers[0]


async def test_a_pair_without_an_actor_is_waited_for(
    servers: Servers, ray_session: str, own_markets: list[Market], tmp_path: Path
) -> None:
    late = own_markets[0]
    platform = make_platform(servers, [late], tmp_path)
    missing = RemotePair(pair=late.pair, actor=late.pair, namespace=platform.namespace)
    with pytest.raises(PairUnavailableError, match="has no actor"):
        await missing.position()
    async with running(make_router(platform)), command_log(platform) as log:
        await append_singly(log, late, flow(100))
        handle = await asyncio.to_thread(pair_actor, platform, late.pair)
        try:
            assert await Judge(platform, late).rule() == await _asked(handle, late, "state_hash")
        finally:
            ray.kill(handle)


async def test_two_quiet_pairs_share_an_actor_and_die_and_come_back_together(
    servers: Servers, ray_session: str, own_markets: list[Market], tmp_path: Path
) -> None:
    shared = {one.pair: "quiet" for one in own_markets}
    platform = replace(
        make_platform(servers, own_markets, tmp_path, snapshot_every_commands=50),
        topology=Topology(tuple(own_markets), shared=shared),
    )
    handle = await asyncio.to_thread(pair_actor, platform, "quiet")
    try:
        assert await handle.ping.remote() == [one.pair for one in own_markets]
        async with running(make_router(platform)), command_log(platform) as log:
            for one in own_markets:
                await append_singly(log, one, flow(100))
                await Judge(platform, one).rule()
            os.kill(await process_of(handle), signal.SIGKILL)
            for one in own_markets:
                await append_singly(log, one, flow(50, first_order_id=5_000))
                assert await Judge(platform, one).rule() == await _patiently(
                    lambda found, one=one: _asked(found, one, "state_hash"), handle
                )
    finally:
        ray.kill(handle)


async def test_the_builder_answers_the_actor_that_is_there(
    servers: Servers, ray_session: str, own_markets: list[Market], tmp_path: Path
) -> None:
    platform = make_platform(servers, own_markets, tmp_path)
    first = await asyncio.to_thread(pair_actor, platform, own_markets[0].pair)
    try:
        again = await asyncio.to_thread(pair_actor, platform, own_markets[0].pair)
        assert await process_of(first) == await process_of(again)
        assert await first.ping.remote() == [own_markets[0].pair]
    finally:
        ray.kill(first)
