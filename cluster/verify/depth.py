"""The cached depth in Redis against the book at the depth's own sequence."""

import asyncio
import time

import msgspec
from redis.asyncio import Redis

from actors.book.records import RecordArray
from actors.platform.channels import depth_key
from actors.platform.messages import DepthSnapshot, LevelRow
from cluster.verify.fold import LogFold
from cluster.verify.report import Check

_POLL_S = 0.1
_LEVEL_ROW = ["price_ticks", "quantity_lots", "filled_lots", "order_count"]


async def check_depth(
    check: Check, redis: Redis, fold: LogFold, *, levels: int, until_s: float | None
) -> None:
    """Compare a pair's cached depth of `levels` a side.

    Until `until_s` (of the monotonic clock) it may be older than the fold; without it nobody is
    running, and a depth that is old or lost is no difference. Raises RedisError and LogError.
    """
    pair, sequence = fold.market.pair, fold.book.sequence
    depth = await _newest(check, redis, pair, sequence=sequence, until_s=until_s)
    if depth is None:
        return
    if depth.sequence < sequence:
        if until_s is not None:
            check.differ(
                f"{pair}: the cached depth is of sequence {depth.sequence}, "
                f"the log had come to {sequence}"
            )
        return
    # A busy market's depth may be newer by now than the fold.
    known = await fold.to_sequence(depth.sequence)
    if not known or fold.book.sequence != depth.sequence:
        check.differ(
            f"{pair}: the cached depth is of sequence {depth.sequence}, at which no record ends"
        )
        return
    check.passed(len(depth.bids) + len(depth.asks))
    _compare(check, fold, depth, levels)


async def _newest(
    check: Check, redis: Redis, pair: str, *, sequence: int, until_s: float | None
) -> DepthSnapshot | None:
    while True:
        cached = await redis.get(depth_key(pair))
        depth = None
        if isinstance(cached, bytes):
            try:
                depth = msgspec.msgpack.decode(cached, type=DepthSnapshot)
            except msgspec.MsgspecError as error:
                check.differ(f"{pair}: the cached depth cannot be read: {error}")
                return None
        is_new = depth is not None and depth.sequence >= sequence
        if is_new or until_s is None:
            return depth
        if time.monotonic() > until_s:
            if depth is None:
                check.differ(f"{pair} has no cached depth")
            return depth
        await asyncio.sleep(_POLL_S)


def _compare(check: Check, fold: LogFold, depth: DepthSnapshot, levels: int) -> None:
    what = f"{fold.market.pair} depth at sequence {depth.sequence}"
    book = fold.book
    bids, asks = book.depth(levels)
    for side, expected, found in (
        ("bid", _rows(bids), depth.bids),
        ("ask", _rows(asks), depth.asks),
    ):
        if len(expected) != len(found):
            check.differ(f"{what}: {len(found)} {side} levels, by the log {len(expected)}")
        for level, (mine, theirs) in enumerate(zip(expected, found, strict=False), start=1):
            if mine != theirs:
                check.differ(f"{what}: {side} level {level} is {theirs}, by the log {mine}")
    if (depth.update_id, depth.halted) != (book.update_id, book.halted):
        check.differ(
            f"{what}: update id {depth.update_id}, halted {depth.halted}; "
            f"by the log {book.update_id}, {book.halted}"
        )


def _rows(levels: RecordArray) -> list[LevelRow]:
    rows: list[LevelRow] = levels[_LEVEL_ROW].tolist()
    return rows
