"""Stamps of what passes through a router and a reader, on a real log."""

import time
from pathlib import Path

import numpy as np

from actors.book.market import Market
from actors.log.tail import EventTail
from actors.log.traced import log_of
from actors.pair.traced import TracedPair
from actors.platform.config import Servers
from actors.platform.topology import EVENTS_TOPIC
from actors.platform.trace import Step, Trace
from actors.router.router import OrderRouter
from cluster.embedded.process import free_port
from cluster.platform.local_actors import local_pair
from cluster.tools.bench.latency.stamps import Stamps
from tests.beds.commands import flow
from tests.beds.leases import MarketLeases
from tests.beds.routing import Judge, append_singly, command_log, make_platform, running
from tests.beds.waiting import until


async def test_every_record_is_stamped_on_its_way_from_the_log_to_the_pair_and_back(
    servers: Servers, leases: MarketLeases, tmp_path: Path
) -> None:
    market = await leases.market()
    platform = make_platform(servers, [market], tmp_path)
    bootstrap, partition = servers.kafka_bootstrap, platform.topology.partition(market)
    pair = local_pair(platform, market)
    address = f"127.0.0.1:{free_port()}"
    trace = Trace(address)
    places, offsets = [partition] * 50, list(range(50))
    async with Stamps(address) as stamps:
        router = OrderRouter(
            platform.router(),
            connect=lambda one: TracedPair(pair, market=one, trace=trace),
            log=log_of(bootstrap, trace=trace, step=Step.ROUTED),
        )
        began_us = time.time_ns() // 1_000

        async def all_are_stamped() -> bool:
            return bool(np.all(stamps.ended_us(Step.ROUTED, places, offsets)))

        async with running(router), command_log(platform) as log:
            await append_singly(log, market, flow(50))
            assert await Judge(platform, market).rule() == pair.actor.state_hash()
            await until(all_are_stamped, what="stamps of all records")
        read_us = stamps.begun_us(Step.ROUTED, places, offsets)
        handed_us = stamps.begun_us(Step.APPLIED, [market.market_id] * 50, offsets)
        answered_us = stamps.ended_us(Step.APPLIED, [market.market_id] * 50, offsets)
        assert np.all((began_us < read_us) & (read_us <= handed_us) & (handed_us <= answered_us))
        await assert_a_reader_stamps(bootstrap, trace, stamps, market, partition)
    trace.close()


async def assert_a_reader_stamps(
    bootstrap: str, trace: Trace, stamps: Stamps, market: Market, partition: int
) -> None:
    """Read the events as the hub does: what was read is told once more is asked for."""
    tail = EventTail(
        log_of(bootstrap, trace=trace, step=Step.TOLD), client_id="test", topic=EVENTS_TOPIC
    )
    await tail.start({partition: 0})
    try:
        end = (await tail.end_offsets())[partition]
        while tail.positions[partition] < end:
            await tail.read(timeout_ms=5_000)
        offsets = list(range(end))
        assert not stamps.ended_us(Step.TOLD, [partition], offsets[-1:]).all()
        await tail.read(timeout_ms=1)

        async def all_are_told() -> bool:
            return bool(np.all(stamps.ended_us(Step.TOLD, [partition] * end, offsets)))

        await until(all_are_told, what=f"stamps of all events of {market.pair}")
    finally:
        await tail.stop()
