"""Book time: who waits for an expiry is told when it comes, and nobody is woken for nothing."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from actors.book.codec import decode_commands
from actors.book.market import Market
from actors.book.vocabulary import CommandKind
from actors.log.memory import MemoryLog
from actors.platform.topology import COMMANDS_TOPIC, Topology
from actors.router.clock import Clock
from actors.router.state import PairState
from tests.beds.commands import market

ONE, TWO = market(1), market(2)
TOPOLOGY = Topology((ONE, TWO))


@dataclass
class _Pair:
    """What the clock looks at of a pipeline."""

    market: Market
    idle: bool = True
    state: PairState = field(default_factory=PairState)


@asynccontextmanager
async def _ticking(*pairs: _Pair) -> AsyncIterator[tuple[MemoryLog, Clock]]:
    log = MemoryLog()
    commands = log.commands(topology=TOPOLOGY, pending_commands=2, client_id="test")
    clock = Clock(commands)
    task = asyncio.create_task(clock.run(pairs))  # type: ignore[arg-type]
    try:
        yield log, clock
        assert not task.done()
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def _told(log: MemoryLog, own: Market) -> int:
    """Return the time of the first clock command in a market's log, in microseconds."""
    partition = TOPOLOGY.partition(own)
    if not log.end(COMMANDS_TOPIC, partition):
        await log.wait(COMMANDS_TOPIC, [partition], timeout_s=5)
    (command,) = decode_commands(own.market_id, log.values(COMMANDS_TOPIC, partition)[0])
    assert command["kind"] == CommandKind.CLOCK
    return int(command["time_us"])


def _in_us(seconds: float) -> int:
    return time.time_ns() // 1000 + int(seconds * 1e6)


async def test_a_pair_is_told_the_time_when_its_expiry_has_come() -> None:
    one, two = _Pair(ONE), _Pair(TWO)
    expiry_us = one.state.next_expiry_us = _in_us(0.1)
    async with _ticking(one, two) as (log, _):
        assert await _told(log, ONE) >= expiry_us
        assert log.end(COMMANDS_TOPIC, TOPOLOGY.partition(TWO)) == 0


async def test_an_expiry_that_comes_before_the_one_that_is_waited_for_is_not_missed() -> None:
    one, two = _Pair(ONE), _Pair(TWO)
    one.state.next_expiry_us = _in_us(3_600)
    async with _ticking(one, two) as (log, clock):
        await asyncio.sleep(0)
        expiry_us = two.state.next_expiry_us = _in_us(0.1)
        clock.note_expiry()
        assert await _told(log, TWO) >= expiry_us
        assert log.end(COMMANDS_TOPIC, TOPOLOGY.partition(ONE)) == 0


async def test_a_pair_that_has_orders_on_their_way_is_told_after_them() -> None:
    busy, other = _Pair(ONE, idle=False), _Pair(TWO)
    busy.state.next_expiry_us = other.state.next_expiry_us = _in_us(0)
    async with _ticking(busy, other) as (log, _):
        await _told(log, TWO)
        assert log.end(COMMANDS_TOPIC, TOPOLOGY.partition(ONE)) == 0
        busy.idle = True
        await _told(log, ONE)
