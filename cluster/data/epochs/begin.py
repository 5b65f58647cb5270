"""`forkast up --new-epoch NAME`: another log takes the place of one that is lost.

Rows are brought up to date first, each market's book is carried over, and then one transaction
moves all positions and enters the epoch. Whatever goes wrong before leaves the old epoch in use.
"""

import asyncio
import shutil
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import asyncpg

from actors.fold.snapshots import FileSnapshotStore, encode_snapshot, epoch_folder
from actors.follow.positions import MarketPosition, place_position, read_positions
from actors.log.events import KafkaEventSink
from actors.platform.topology import COMMANDS_TOPIC, EVENTS_TOPIC, TRADES_TOPIC
from actors.writer.store import OrderStore
from actors.writer.writer import CONSUMER as WRITER
from actors.writer.writer import PostgresWriter
from analytics.ports import CONSUMER as CANDLES
from cluster.data.epochs.findings import Stored, lost_commands, lost_events
from cluster.data.epochs.log import CLIENT_ID, LogState
from cluster.data.epochs.record import Epoch, add_epoch
from cluster.data.patience import patiently
from cluster.plan import Platform

if TYPE_CHECKING:
    from cluster.data.epochs.carry import Carried

_CATCH_UP_SILENT_S = 60.0
_POLL_S = 0.1
_SNAPSHOT = "INSERT INTO snapshots (pair, epoch, next_offset, image) VALUES ($1, $2, $3, $4)"
_FIRST_WRONG_SECOND = """
SELECT least(
    (SELECT min(open_time_s) FROM candles_1s WHERE market_id = $1 AND last_sequence > $2),
    (SELECT min(time_us) / 1000000 FROM trades WHERE market_id = $1 AND sequence > $2))
"""
_DROP_CANDLES = "DELETE FROM candles_1s WHERE market_id = $1 AND open_time_s >= $2::bigint"
_MAKE_CANDLES = """
INSERT INTO candles_1s (market_id, open_time_s, open_ticks, high_ticks, low_ticks, close_ticks,
                        volume_lots, notional, trade_count, last_sequence)
SELECT market_id, time_us / 1000000, (array_agg(price_ticks ORDER BY sequence))[1],
       max(price_ticks), min(price_ticks), (array_agg(price_ticks ORDER BY sequence DESC))[1],
       least(sum(quantity_lots), 9223372036854775807),
       sum(price_ticks::numeric * quantity_lots), count(*), max(sequence)
FROM trades WHERE market_id = $1 AND time_us >= $2::bigint * 1000000 GROUP BY 1, 2
"""

Report = Callable[[str], None]


async def begin_epoch(
    platform: Platform,
    connection: asyncpg.Connection,
    *,
    name: str,
    current: Epoch | None,
    stored: Sequence[Stored],
    log: LogState,
    report: Report,
) -> int:
    """Carry all markets over to this log; return the number of the epoch.

    `platform` is of the epoch that ends. Raises LogError, OSError, TimeoutError and asyncpg's
    errors.
    """
    number = platform.epoch + 1
    same = {
        topic
        for topic, topic_id in log.topic_ids.items()
        if current is None
        or (current.cluster_id == log.cluster_id and current.topic_ids.get(topic) == topic_id)
    }
    if EVENTS_TOPIC in same:
        report("Writing the events that are still there to Postgres")
        await _catch_up(platform, connection, stored, log)
    # Imported here, for the kernel comes with it, which a start without a new epoch does without.
    from cluster.data.epochs.carry import Carrier

    carried = []
    rows = await OrderStore.connect(platform.servers.postgres_url, consumer=WRITER)
    sink = KafkaEventSink(
        bootstrap=platform.servers.kafka_bootstrap,
        topology=platform.topology,
        client_id=CLIENT_ID,
    )
    try:
        await patiently(sink.start)
        carrier = Carrier(platform, connection=connection, rows=rows, sink=sink, log=log)
        for one in stored:
            is_whole = COMMANDS_TOPIC in same and not any(lost_commands(one, log))
            report(f"Carrying {one.market.pair} over, {'log' if is_whole else 'rows'} and book")
            carried.append(await carrier.carry(one, log_is_whole=is_whole))
    finally:
        await sink.stop()
        await rows.close()
    if platform.snapshots == "files":
        await asyncio.to_thread(_write_files, platform, number, carried)
    async with connection.transaction():
        for at, to in zip(stored, carried, strict=True):
            await _settle(connection, at, to, log)
            if platform.snapshots == "postgres":
                pair, start = to.market.pair, to.snapshot
                image = b"".join(encode_snapshot(pair, start))
                await connection.execute(_SNAPSHOT, pair, number, start.next_offset, image)
        await add_epoch(connection, number=number, name=name, log=log)
    finish(platform, number)
    return number


def finish(platform: Platform, number: int) -> None:
    """Put the books of an epoch that was entered in their place, unless they are there."""
    folder = epoch_folder(platform.snapshot_folder, number)
    if _unfinished(folder).exists() and not folder.exists():
        _unfinished(folder).replace(folder)


async def _catch_up(
    platform: Platform,
    connection: asyncpg.Connection,
    stored: Sequence[Stored],
    log: LogState,
) -> None:
    """Let the writer write what the topic of events holds, where its place is still there."""
    ends = {
        one.market.market_id: log.extents[EVENTS_TOPIC][one.partition].end
        for one in stored
        if not any(EVENTS_TOPIC in sentence for sentence in lost_events(one, log))
    }
    writer = PostgresWriter(platform.writer)
    writer.start()
    try:
        reached: dict[int, int] = {}
        silent_until_s = time.monotonic() + _CATCH_UP_SILENT_S
        while time.monotonic() < silent_until_s:
            positions = await read_positions(connection, WRITER)
            now = {market_id: at.next_offset for market_id, at in positions.items()}
            faults = (await writer.status()).faults
            if all(now.get(key, 0) >= end or key in faults for key, end in ends.items()):
                return
            if now != reached:
                reached, silent_until_s = now, time.monotonic() + _CATCH_UP_SILENT_S
            await asyncio.sleep(_POLL_S)
    finally:
        await writer.stop()
    raise TimeoutError(f"the writer did not come on for {_CATCH_UP_SILENT_S:g} s")


async def _settle(
    connection: asyncpg.Connection, stored: Stored, carried: "Carried", log: LogState
) -> None:
    """Move a market's positions to where its new log begins, and complete its candles."""
    market_id = stored.market.market_id
    none = MarketPosition(market_id=market_id)
    written = (await read_positions(connection, WRITER, (market_id,))).get(market_id, none)
    counted = stored.positions.get(CANDLES, none)
    known = min(written.last_sequence, counted.last_sequence)
    second = await connection.fetchval(_FIRST_WRONG_SECOND, market_id, known)
    if second is not None:
        await connection.execute(_DROP_CANDLES, market_id, second)
        await connection.execute(_MAKE_CANDLES, market_id, second)
    for consumer, topic in ((WRITER, EVENTS_TOPIC), (CANDLES, TRADES_TOPIC)):
        position = MarketPosition(
            market_id=market_id,
            next_offset=log.extents[topic][stored.partition].end,
            last_sequence=carried.sequence,
            commands_offset=carried.snapshot.next_offset,
        )
        await place_position(connection, consumer, position)


def _write_files(platform: Platform, number: int, carried: "Sequence[Carried]") -> None:
    folder = _unfinished(epoch_folder(platform.snapshot_folder, number))
    shutil.rmtree(folder, ignore_errors=True)
    for one in carried:
        FileSnapshotStore(folder, pair=one.market.pair, kept=1).save(one.snapshot)


def _unfinished(folder: Path) -> Path:
    return folder.with_name(f"{folder.name}.new")
