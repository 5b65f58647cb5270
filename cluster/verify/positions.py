"""Positions of writer and candles: at the log's end when they run, never beyond it."""

import asyncio
import time
from dataclasses import dataclass

import asyncpg

from actors.follow.positions import MarketPosition, read_positions
from actors.writer.writer import CONSUMER as WRITER
from analytics.ports import CONSUMER as CANDLES
from cluster.verify.fold import LogFold
from cluster.verify.report import Check

_POLL_S = 0.1


@dataclass(frozen=True, kw_only=True, slots=True)
class Reached:
    """The last sequence that each consumer has written, 0 where it has written none."""

    written: int
    counted: int


async def read_reached(connection: asyncpg.Connection, market_id: int) -> Reached:
    """Return how far both consumers are with a market. Raises asyncpg's errors."""
    none = MarketPosition(market_id=market_id)
    written, counted = [
        (await read_positions(connection, consumer, (market_id,))).get(market_id, none)
        for consumer in (WRITER, CANDLES)
    ]
    return Reached(written=written.last_sequence, counted=counted.last_sequence)


async def wait_for_positions(
    check: Check,
    connection: asyncpg.Connection,
    fold: LogFold,
    *,
    events: int,
    trades: int,
    until_s: float,
) -> None:
    """Wait until the writer has reached sequence `events` and the candles `trades`.

    Whoever has not at `until_s` (of the monotonic clock) is a difference. Raises asyncpg's errors.
    """
    while True:
        reached = await read_reached(connection, fold.market.market_id)
        late = [
            (name, at, wanted)
            for name, at, wanted in (
                (WRITER, reached.written, events),
                (CANDLES, reached.counted, trades),
            )
            if at < wanted
        ]
        if not late or time.monotonic() > until_s:
            break
        await asyncio.sleep(_POLL_S)
    for name, at, wanted in late:
        check.differ(
            f"{fold.market.pair}: consumer {name} stands at sequence {at}, "
            f"the log had come to {wanted}"
        )


async def check_not_beyond(check: Check, fold: LogFold, reached: Reached) -> None:
    """Fold on to where the consumers are; they cannot know more than the log. Raises LogError."""
    for name, at in ((WRITER, reached.written), (CANDLES, reached.counted)):
        check.passed()
        if not await fold.to_sequence(at):
            check.differ(
                f"{fold.market.pair}: consumer {name} stands at sequence {at}, "
                f"the log ends at {fold.book.sequence}"
            )
