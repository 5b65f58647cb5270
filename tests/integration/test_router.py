"""The way from the log through the actors and back, with everything that may go wrong on it."""

import time
from collections.abc import Awaitable
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import msgspec
import numpy as np
import pytest
from redis.asyncio import Redis

from actors.book.market import Market
from actors.book.records import COMMAND_DTYPE
from actors.book.vocabulary import CommandKind, EventKind, OrderStatus, Side
from actors.log.events import KafkaEventSink
from actors.log.kafka import KafkaLog
from actors.log.tail import EventTail
from actors.pair.messages import RangeAnswer, RangeApplied, RangeRequest
from actors.platform.channels import LAG_KEY, depth_changes_channel, depth_channel, depth_key
from actors.platform.config import Servers
from actors.platform.errors import PairUnavailableError
from actors.platform.messages import DepthChange, DepthSnapshot, PairLag
from actors.platform.topology import EVENTS_TOPIC, TRADES_TOPIC
from actors.router.records import join
from actors.router.router import OrderRouter
from cluster.platform.local_actors import LocalPair, local_pair
from tests.beds.commands import flow, place
from tests.beds.leases import MarketLeases
from tests.beds.routing import (
    Judge,
    append_singly,
    command_log,
    make_platform,
    running,
)
from tests.beds.waiting import until


@pytest.fixture
async def own_market(leases: MarketLeases) -> Market:
    """Give a test a market whose log nobody else has written to."""
    return await leases.market()


async def test_events_trades_depth_and_lag_come_out_where_they_belong(
    servers: Servers, own_market: Market, tmp_path: Path
) -> None:
    platform = make_platform(servers, [own_market], tmp_path)
    pair = local_pair(platform, own_market)
    judge = Judge(platform, own_market)
    redis = Redis.from_url(servers.redis_url)
    subscriber = redis.pubsub()
    channels = (depth_channel(own_market.pair), depth_changes_channel(own_market.pair))
    await subscriber.subscribe(*channels)
    heard: dict[str, list[bytes]] = {channel: [] for channel in channels}

    async def everything_is_heard() -> bool:
        message = await subscriber.get_message(ignore_subscribe_messages=True, timeout=0.05)
        if message is not None:
            heard[message["channel"].decode()].append(message["data"])
        cached = await redis.get(depth_key(own_market.pair))
        lag = await redis.hget(LAG_KEY, own_market.pair)
        return (
            isinstance(cached, bytes)
            and isinstance(lag, bytes)
            and all(heard.values())
            and msgspec.msgpack.decode(cached, type=DepthSnapshot) == pair.actor.depth(1_000)
            and msgspec.msgpack.decode(lag, type=PairLag).total_commands == 2_000
        )

    router = OrderRouter(platform.router(), connect=lambda _: pair)
    async with running(router), command_log(platform) as log:
        await log.append(own_market, flow(1_000))
        await append_singly(log, own_market, flow(1_000, first_order_id=5_000))
        assert await judge.rule() == pair.actor.state_hash()
        await until(everything_is_heard, what="depth and lag in Redis")
        lag = router.lags()[own_market.pair]
    await subscriber.aclose()  # type: ignore[no-untyped-call]
    await redis.aclose()
    changes = [msgspec.msgpack.decode(m, type=DepthChange) for m in heard[channels[1]]]
    for before, after in pairwise(changes):
        assert after.previous_update_id == before.last_update_id
    assert lag.available
    assert lag.records_behind == 0
    assert lag.open_orders == pair.actor.stats()["open_orders"]


async def test_a_batch_larger_than_a_record_is_split_without_a_hole(
    servers: Servers, own_market: Market, tmp_path: Path
) -> None:
    platform = make_platform(servers, [own_market], tmp_path)
    pair = local_pair(platform, own_market)
    judge = Judge(platform, own_market)
    async with command_log(platform) as log:
        for start in range(0, 20_000, 5_000):
            await log.append(own_market, flow(5_000, first_order_id=1 + start, seed=start))
    async with running(OrderRouter(platform.router(), connect=lambda _: pair)):
        assert await judge.rule() == pair.actor.state_hash()


async def test_a_new_router_publishes_what_the_one_before_it_took_to_its_grave(
    servers: Servers, own_market: Market, tmp_path: Path
) -> None:
    platform = make_platform(servers, [own_market], tmp_path)
    pair = local_pair(platform, own_market)
    judge = Judge(platform, own_market)
    commands = flow(1_500)
    async with command_log(platform) as log:
        async with running(OrderRouter(platform.router(), connect=lambda _: pair)):
            await append_singly(log, own_market, commands[:1_000])
            await until(judge.agrees, what="the first thousand")
        await append_singly(log, own_market, commands[1_000:])
        position = pair.actor.position().next_offset
        await _apply_unpublished(platform_pair=pair, judge=judge, first_offset=position)
        assert pair.actor.position().next_offset == 1_500
    async with running(OrderRouter(platform.router(), connect=lambda _: pair)):
        assert await judge.rule() == pair.actor.state_hash()


async def _apply_unpublished(*, platform_pair: LocalPair, judge: Judge, first_offset: int) -> None:
    """Do what a router does that dies between the actor's answer and Kafka's."""
    values = (await judge.log_values())[first_offset:]
    outcome = platform_pair.actor.apply(first_offset, first_offset + len(values), values)
    assert isinstance(outcome, RangeApplied)


async def test_trades_that_a_crash_kept_back_are_written_by_the_next_router(
    servers: Servers, own_market: Market, tmp_path: Path
) -> None:
    platform = make_platform(servers, [own_market], tmp_path)
    pair = local_pair(platform, own_market)
    judge = Judge(platform, own_market)
    sink = KafkaEventSink(
        bootstrap=servers.kafka_bootstrap, topology=platform.topology, client_id="test-crash"
    )
    async with command_log(platform) as log:
        await log.append(own_market, flow(200))
    applied = pair.actor.apply(0, 1, await judge.log_values())
    assert isinstance(applied, RangeApplied)
    (record,) = join(own_market.market_id, 0, [applied]).encode()
    await sink.start()
    await sink.publish(EVENTS_TOPIC, own_market, record)
    await sink.stop()
    assert len(await judge.published(TRADES_TOPIC)) == 0
    async with running(OrderRouter(platform.router(), connect=lambda _: pair)):

        async def trades_are_there() -> bool:
            return len(await judge.published(TRADES_TOPIC)) > 0

        await until(trades_are_there, what="the trades")
        assert await judge.rule() == pair.actor.state_hash()


async def test_trades_of_many_records_that_were_kept_back_are_written_by_the_next_router(
    servers: Servers, own_market: Market, tmp_path: Path
) -> None:
    platform = make_platform(servers, [own_market], tmp_path)
    pair = local_pair(platform, own_market)
    judge = Judge(platform, own_market)
    sink = KafkaEventSink(
        bootstrap=servers.kafka_bootstrap, topology=platform.topology, client_id="test-crash"
    )
    await sink.start()
    async with command_log(platform) as log:
        async with running(OrderRouter(platform.router(), connect=lambda _: pair)):
            await append_singly(log, own_market, flow(100))
            assert await judge.rule() == pair.actor.state_hash()
        await append_singly(log, own_market, flow(300, first_order_id=1_000))
        for offset, value in enumerate((await judge.log_values())[100:], 100):
            applied = pair.actor.apply(offset, offset + 1, [value])
            assert isinstance(applied, RangeApplied)
            for record in join(own_market.market_id, offset, [applied]).encode():
                await sink.publish(EVENTS_TOPIC, own_market, record)
        async with running(OrderRouter(platform.router(), connect=lambda _: pair)):
            await append_singly(log, own_market, flow(100, first_order_id=2_000))
            assert await judge.rule() == pair.actor.state_hash()
    await sink.stop()


class _DeafPair(LocalPair):
    """A pair whose answers are lost now and then, after it did the work."""

    calls = 0

    def apply(self, request: RangeRequest) -> Awaitable[RangeAnswer]:
        answer = self.actor.answer(request)
        self.calls += 1
        return _lost() if self.calls in (2, 3, 9) else self._decoded(answer)


async def _lost() -> RangeAnswer:
    raise PairUnavailableError("the answer was lost")


async def test_a_lost_answer_loses_no_event(
    servers: Servers, own_market: Market, tmp_path: Path
) -> None:
    platform = make_platform(servers, [own_market], tmp_path, range_bytes=20_000)
    pair = _DeafPair(local_pair(platform, own_market).actor)
    judge = Judge(platform, own_market)
    async with (
        running(OrderRouter(platform.router(), connect=lambda _: pair)),
        command_log(platform) as log,
    ):
        for start in range(0, 1_200, 300):
            await append_singly(log, own_market, flow(300, first_order_id=1 + start, seed=start))
        assert await judge.rule() == pair.actor.state_hash()
    assert pair.calls > 9


async def test_two_routers_at_once_only_repeat_each_other(
    servers: Servers, own_market: Market, tmp_path: Path
) -> None:
    platform = make_platform(servers, [own_market], tmp_path)
    pair = local_pair(platform, own_market)
    judge = Judge(platform, own_market)
    one = OrderRouter(platform.router(), connect=lambda _: pair)
    other = OrderRouter(platform.router(), connect=lambda _: pair)
    async with running(one), running(other), command_log(platform) as log:
        for start in range(0, 900, 300):
            await append_singly(log, own_market, flow(300, first_order_id=1 + start, seed=start))
        assert await judge.rule() == pair.actor.state_hash()


async def test_an_order_expires_though_no_command_comes(
    servers: Servers, own_market: Market, tmp_path: Path
) -> None:
    platform = make_platform(servers, [own_market], tmp_path)
    pair = local_pair(platform, own_market)
    judge = Judge(platform, own_market)
    now_us = time.time_ns() // 1000
    order = place(
        1,
        Side.BUY,
        price_ticks=100,
        quantity_lots=5,
        time_us=now_us,
        expires_us=now_us + 300_000,
    )

    async def expired() -> bool:
        events = await judge.published(EVENTS_TOPIC)
        return bool((events["status"] == OrderStatus.EXPIRED).any())

    async with (
        running(OrderRouter(platform.router(), connect=lambda _: pair)),
        command_log(platform) as log,
    ):
        await log.append(own_market, order)
        await until(expired, what="the expiry", within_s=10)
    assert pair.actor.stats()["open_orders"] == 0
    events = await judge.published(EVENTS_TOPIC)
    assert events["kind"].tolist() == [EventKind.ORDER, EventKind.ORDER]
    assert events["time_us"][1] >= now_us + 300_000


async def test_trading_goes_on_without_redis(
    servers: Servers, own_market: Market, tmp_path: Path, unused_tcp_port: int
) -> None:
    away = replace(servers, redis_url=f"redis://127.0.0.1:{unused_tcp_port}/0")
    platform = make_platform(away, [own_market], tmp_path)
    pair = local_pair(platform, own_market)
    judge = Judge(platform, own_market)
    async with (
        running(OrderRouter(platform.router(), connect=lambda _: pair)),
        command_log(platform) as log,
    ):
        await append_singly(log, own_market, flow(500))
        assert await judge.rule() == pair.actor.state_hash()


async def test_pairs_of_other_shards_are_left_alone(
    servers: Servers, own_market: Market, tmp_path: Path
) -> None:
    platform = make_platform(servers, [own_market], tmp_path)
    shard = (own_market.market_id + 1) % 2
    async with running(
        OrderRouter(
            platform.router(shard=shard, shards=2),
            connect=lambda m: local_pair(platform, m),
        )
    ) as router:
        assert router.lags() == {}


async def test_a_dead_loop_fails_the_health_check(
    servers: Servers, own_market: Market, tmp_path: Path
) -> None:
    platform = make_platform(servers, [own_market], tmp_path)

    class _BrokenPair(LocalPair):
        async def stats(self) -> dict[str, object]:
            raise ZeroDivisionError

    broken = _BrokenPair(local_pair(platform, own_market).actor)
    router = OrderRouter(platform.router(), connect=lambda _: broken)
    await router.start()

    async def unwell() -> bool:
        try:
            router.check_health()
        except RuntimeError as error:
            return "ZeroDivisionError" in str(error)
        return False

    try:
        await until(unwell, what="a failing health check", within_s=10)
    finally:
        await router.stop()


async def test_a_clock_that_changes_nothing_is_accounted_for_in_the_events(
    servers: Servers, own_market: Market, tmp_path: Path
) -> None:
    platform = make_platform(servers, [own_market], tmp_path)
    pair = local_pair(platform, own_market)
    tail = EventTail(KafkaLog(servers.kafka_bootstrap), client_id="test-clock")
    partition = platform.topology.partition(own_market)
    await tail.start({partition: 0})
    accounted = 0

    async def all_is_accounted_for() -> bool:
        nonlocal accounted
        for tailed in (await tail.read(timeout_ms=50)).get(partition, ()):
            accounted = max(accounted, tailed.record.next_offset)
        return accounted == offset + 1

    async with (
        running(OrderRouter(platform.router(), connect=lambda _: pair)),
        command_log(platform) as log,
    ):
        offset = await log.append(own_market, flow(10))
        await until(all_is_accounted_for, what="the orders' offset in the events")
        clock = np.zeros(1, COMMAND_DTYPE)
        clock["kind"] = CommandKind.CLOCK
        offset = await log.append(own_market, clock)
        await until(all_is_accounted_for, what="the clock's offset in the events")
    await tail.stop()
