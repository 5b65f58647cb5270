"""Check at every start that the log is the one that rows, positions and snapshots belong to."""

import asyncio
from dataclasses import replace

import asyncpg

from actors.fold.snapshots import epoch_folder
from actors.follow.positions import read_positions
from actors.platform.errors import LogError
from actors.writer.writer import CONSUMER as WRITER
from analytics.ports import CONSUMER as CANDLES
from cluster.data.epochs.begin import Report, begin_epoch, finish
from cluster.data.epochs.findings import Stored, lost_commands, lost_events, replaced
from cluster.data.epochs.log import LogState, read_log
from cluster.data.epochs.record import FIRST_NAME, Epoch, add_epoch, read_epochs
from cluster.errors import LogReplacedError, ServerUnreachableError
from cluster.plan import Platform

_ADVISORY_LOCK = 0x4550_4F43  # "EPOC"
_WAY_ON = (
    "give Kafka its data back, or begin a new epoch with `forkast up --new-epoch NAME`, which "
    "keeps every order that Postgres or a snapshot holds"
)


async def enter_epoch(
    platform: Platform, *, new_epoch: str = "", report: Report = lambda _: None
) -> int:
    """Return the number of the epoch whose log Kafka holds; the first start enters the first.

    Where the log is another one or was cut, `new_epoch` is the operator's name for going on with
    it. Raises LogReplacedError without one, or with a name that is not fresh or not needed, and
    ServerUnreachableError.
    """
    log = await read_log(
        platform.servers.kafka_bootstrap,
        [platform.topology.partition(market) for market in platform.topology],
    )
    try:
        connection = await asyncpg.connect(
            platform.servers.postgres_url, timeout=20, command_timeout=60
        )
        try:
            await connection.execute("SELECT pg_advisory_lock($1)", _ADVISORY_LOCK)
            return await _enter(platform, connection, log, new_epoch, report)
        finally:
            await connection.close(timeout=10)
    except (OSError, TimeoutError, asyncpg.PostgresError) as error:
        raise ServerUnreachableError(f"Postgres: {error!r}") from error
    except LogError as error:
        raise ServerUnreachableError(f"Kafka: {error}") from error


async def _enter(
    platform: Platform,
    connection: asyncpg.Connection,
    log: LogState,
    new_epoch: str,
    report: Report,
) -> int:
    epochs = await read_epochs(connection)
    current = epochs[-1] if epochs else None
    number = current.number if current else 1
    finish(platform, number)
    old = replace(platform, epoch=number)
    stored = await read_stored(old, connection)
    found = find(current, stored, log)
    if new_epoch:
        _check_name(new_epoch, epochs, found)
        return await begin_epoch(
            old, connection, name=new_epoch, current=current, stored=stored, log=log, report=report
        )
    if found:
        raise LogReplacedError(f"{found[0]}; {_WAY_ON}")
    _check_folder(platform, number)
    if current is None:
        await add_epoch(connection, number=number, name=FIRST_NAME, log=log)
    return number


def _check_name(name: str, epochs: list[Epoch], found: list[str]) -> None:
    for epoch in epochs:
        if epoch.name == name:
            raise LogReplacedError(
                f"epoch {name!r} began on {epoch.begun_at:%Y-%m-%d at %H:%M:%S} UTC: leave "
                "--new-epoch out, or give a name that was never used"
            )
    if not found:
        raise LogReplacedError(
            "Kafka holds the log that the data belong to, whole: leave --new-epoch out"
        )


def find(current: Epoch | None, stored: list[Stored], log: LogState) -> list[str]:
    """Return a sentence for each thing that is wrong, the broadest first."""
    found = list(replaced(current, log)) if current else []
    for one in stored:
        found += [*lost_commands(one, log), *lost_events(one, log)]
    return found


async def read_stored(platform: Platform, connection: asyncpg.Connection) -> list[Stored]:
    """Return what is kept of every market's place in the platform's epoch."""
    positions = {
        consumer: await read_positions(connection, consumer) for consumer in (WRITER, CANDLES)
    }
    return [
        Stored(
            market=market,
            partition=platform.topology.partition(market),
            positions={
                consumer: stored[market.market_id]
                for consumer, stored in positions.items()
                if market.market_id in stored
            },
            snapshots=tuple(await asyncio.to_thread(platform.snapshots_of(market).offsets)),
        )
        for market in platform.topology
    ]


def _check_folder(platform: Platform, number: int) -> None:
    """See that the data folder knows of no later epoch than Postgres does."""
    later = epoch_folder(platform.snapshot_folder, number + 1)
    if later.exists():
        raise LogReplacedError(
            f"{later} belongs to an epoch of the log that Postgres does not know: give Postgres "
            "its data back, or move the folder away if this data folder is to begin anew"
        )
