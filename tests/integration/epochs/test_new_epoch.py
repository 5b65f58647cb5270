"""With the operator's word a market goes on in another log, and no order that was kept is lost."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from pathlib import Path

import asyncpg
import numpy as np
import pytest

from actors.book.compiled_snapshot import Parts, parts
from actors.book.market import Market
from actors.book.records import RecordArray, encode_client_order_id
from actors.book.vocabulary import CommandKind
from actors.log.events import KafkaEventSink
from actors.platform.config import Servers
from actors.platform.topology import COMMANDS_TOPIC, EVENTS_TOPIC, TRADES_TOPIC
from actors.router.router import OrderRouter
from actors.writer.writer import PostgresWriter
from analytics.aggregator import CandleAggregator
from cluster.data.epochs.check import enter_epoch
from cluster.errors import LogReplacedError
from cluster.plan import Platform
from cluster.platform.local_actors import LocalPair, local_pair
from cluster.verify import Report, verify
from tests.beds.commands import START_US
from tests.beds.epochs import execute, in_own_database
from tests.beds.leases import MarketLeases
from tests.beds.routing import (
    command_log,
    make_platform,
    running,
)
from tests.beds.verify import LocalBooks
from tests.beds.waiting import until
from tests.property.streams import ARENAS, stream

_COMMANDS = 300
_SEED = 8_000
_OTHER_CLUSTER = "UPDATE log_epochs SET cluster_id = 'another'"
_LOSE_ONE = """
DELETE FROM orders WHERE order_id = (
    SELECT order_id FROM orders WHERE status IN (1, 2) AND sequence <= $1 LIMIT 1)
"""
_OTHER_COMMANDS = (
    f'UPDATE log_epochs SET topic_ids = topic_ids || \'{{"{COMMANDS_TOPIC}": "another"}}\''
)
_OTHER_TOPICS = (
    "UPDATE log_epochs SET topic_ids = topic_ids || "
    f'\'{{"{EVENTS_TOPIC}": "another", "{TRADES_TOPIC}": "another"}}\''
)


@pytest.fixture
async def platform(
    servers: Servers, leases: MarketLeases, tmp_path: Path
) -> AsyncIterator[Platform]:
    """A market that nobody has used, entered into its first epoch."""
    (number,) = await leases.ids(1)
    market = replace(ARENAS["crowded"].market, market_id=number, pair=f"E{number}-USD")
    shared = make_platform(servers, [market], tmp_path, snapshot_every_commands=100_000)
    async with in_own_database(shared, tmp_path) as own:
        assert await enter_epoch(own) == 1
        yield own


def only(platform: Platform) -> Market:
    (market,) = platform.topology
    return market


def commands(platform: Platform, *, part: int) -> RecordArray:
    """Return commands of every kind; each part has ids and generations of its own."""
    made = stream(ARENAS["crowded"], seed=_SEED + part, count=_COMMANDS)
    for name in ("order_id", "command_id", "generation"):
        made[name] += 1_000_000 * part * (made[name] > 0)
    return made


@asynccontextmanager
async def trading(platform: Platform, *, written: bool = True) -> AsyncIterator[LocalPair]:
    """Run the market with its router, and with writer and candles where it is to be `written`."""
    market = only(platform)
    pair = local_pair(platform, market)
    async with AsyncExitStack() as stack:
        if written:
            for consumer in (
                PostgresWriter(platform.writer),
                CandleAggregator(platform.candles),
            ):
                consumer.start()
                stack.push_async_callback(consumer.stop)
        router = OrderRouter(platform.router(), connect=lambda _: pair)
        await stack.enter_async_context(running(router))
        yield pair


def unamended(made: RecordArray) -> RecordArray:
    """Return the commands that rows tell everything of: no amends or halts, no two at once,
    no order id twice, no client order ids but those that a gateway lets through, no stamps.
    """
    untold = np.isin(
        made["kind"],
        [CommandKind.AMEND, CommandKind.HALT, CommandKind.RESUME, CommandKind.FENCE],
    )
    places = np.flatnonzero(made["kind"] == CommandKind.PLACE)
    _, first = np.unique(made["order_id"][places], return_index=True)
    untold[np.delete(places, first)] = True
    kept: RecordArray = made[~untold]
    ids = [encode_client_order_id(f"id {number % 40}") for number in range(len(kept))]
    kept["client_order_id"] = ids
    for stamp in ("shard", "generation", "maker_fee", "taker_fee"):
        kept[stamp] = 0
    kept["time_us"] = START_US + np.arange(len(kept))
    return kept


async def send(platform: Platform, pair: LocalPair, made: RecordArray) -> None:
    """Append commands and return when the pair has applied them."""
    async with command_log(platform) as log:
        for first in range(0, len(made), 50):
            offset = await log.append(only(platform), made[first : first + 50])

    async def applied() -> bool:
        return pair.actor.position().next_offset > offset

    await until(applied, what="the last command")


async def report(platform: Platform, pair: LocalPair) -> Report:
    return await verify(platform, books=LocalBooks({only(platform).pair: pair}), running=True)


def book(pair: LocalPair) -> Parts:
    """Return everything that a pair's book holds."""
    exported = pair.actor.export()
    return parts(pair.actor._market, exported.state)


async def until_published(platform: Platform, pair: LocalPair) -> None:
    """Wait until the topics hold all events of the pair."""
    bootstrap, topology = platform.servers.kafka_bootstrap, platform.topology
    sink = KafkaEventSink(bootstrap=bootstrap, topology=topology, client_id="test-epochs")

    async def published() -> bool:
        held = await sink.published(only(platform))
        return held.events_sequence == pair.actor.position().sequence

    await until(published, what="the last events")


async def trades_written(platform: Platform) -> int:
    connection = await asyncpg.connect(platform.servers.postgres_url)
    try:
        return int(await connection.fetchval("SELECT count(*) FROM trades"))
    finally:
        await connection.close()


def differences(found: Report) -> dict[str, str | None]:
    return {check.name: check.first for check in found.checks if check.differences}


async def test_a_lost_log_is_followed_by_one_that_begins_with_the_open_orders_of_the_rows(
    platform: Platform,
) -> None:
    async with trading(platform) as pair:
        await send(platform, pair, unamended(commands(platform, part=0)))
        assert differences(await report(platform, pair)) == {}
    before = book(pair)
    assert len(before.orders) > 0
    assert len(before.finished) > 0
    await execute(platform, _OTHER_CLUSTER)
    with pytest.raises(LogReplacedError, match="--new-epoch NAME"):
        await enter_epoch(platform)
    assert await enter_epoch(platform, new_epoch="after the fire") == 2

    following = replace(platform, epoch=2)
    async with trading(following) as pair:
        after = book(pair)
        assert after.orders.tobytes() == before.orders.tobytes()
        assert after.finished.tobytes() == before.finished.tobytes()
        assert (after.sequence, after.last_trade_id) == (before.sequence, before.last_trade_id)
        assert after.update_id >= before.update_id
        await send(following, pair, commands(platform, part=1))
        found = await report(following, pair)
        assert differences(found) == {}
        assert found.check("trades").checked > 0
        await execute(following, _LOSE_ONE, before.sequence)
        found = await report(following, pair)
        assert list(differences(found)) == ["orders"]
        assert "has no row" in (found.check("orders").first or "")
    assert await enter_epoch(platform) == 2
    for name, sentence in (
        ("after the fire", "epoch 'after the fire' began on"),
        ("again", "whole: leave --new-epoch out"),
    ):
        with pytest.raises(LogReplacedError, match=sentence):
            await enter_epoch(platform, new_epoch=name)


async def test_whole_commands_are_folded_to_their_end_where_only_the_events_are_lost(
    platform: Platform,
) -> None:
    platform = replace(platform, snapshots="postgres")
    async with trading(platform) as pair:
        await send(platform, pair, commands(platform, part=0))
        assert differences(await report(platform, pair)) == {}
    before = pair.actor.fingerprint()
    async with command_log(platform) as log:
        await log.append(only(platform), commands(platform, part=1))
    await execute(platform, _OTHER_TOPICS)
    assert await enter_epoch(platform, new_epoch="events anew") == 2
    following = replace(platform, epoch=2)
    async with trading(following) as pair:
        assert pair.actor.position().next_offset == before.next_offset + 1
        assert pair.actor.position().sequence > before.sequence
        assert differences(await report(following, pair)) == {}


@pytest.mark.parametrize(
    ("what", "events_are_there"),
    [(_OTHER_CLUSTER, False), (_OTHER_COMMANDS, True)],
    ids=["everything lost", "commands lost"],
)
async def test_a_snapshot_that_is_ahead_of_the_rows_wins_and_the_rows_follow(
    platform: Platform, what: str, events_are_there: bool
) -> None:
    async with trading(platform) as pair:
        await send(platform, pair, commands(platform, part=0))
        assert differences(await report(platform, pair)) == {}
    async with trading(platform, written=False) as pair:
        await send(platform, pair, commands(platform, part=1))
        await until_published(platform, pair)
    platform.snapshots_of(only(platform)).save(pair.actor.export())
    before, last_trade_id = pair.actor.state_hash(), pair.actor.stats()["last_trade_id"]
    await execute(platform, what)
    assert await enter_epoch(platform, new_epoch="second") == 2
    assert (await trades_written(platform) == last_trade_id) == events_are_there
    following = replace(platform, epoch=2)
    async with trading(following) as pair:
        assert pair.actor.state_hash() == before
        await send(following, pair, commands(platform, part=2))
        assert differences(await report(following, pair)) == {}
