"""Appends that nobody waits for any more: they count until the log has spoken."""

import asyncio
import gc

import pytest

from actors.book.records import RecordArray
from actors.book.vocabulary import Side
from actors.log.commands import BoundedCommandLog
from actors.log.memory import MemoryConnection
from actors.platform.errors import LogTimeoutError, LogUnavailableError, QueueFullError
from actors.platform.topology import Topology
from tests.beds.commands import market, place

ONE = market(1)


def order(number: int) -> RecordArray:
    return place(number, Side.BUY, price_ticks=100, quantity_lots=1)


class Broker(MemoryConnection):
    """A producer that answers when the test says so; while `away` it takes nothing at once."""

    def __init__(self) -> None:
        self.taken: list[asyncio.Future[int]] = []
        self.away = False

    async def send(self, *, topic: str, partition: int, key: bytes, value: bytes) -> int:
        del topic, partition, key, value
        await asyncio.sleep(0)
        return await self._take()

    async def begin(
        self, *, topic: str, partition: int, key: bytes, value: bytes
    ) -> asyncio.Future[int] | None:
        del topic, partition, key, value
        return None if self.away else self._take()

    def _take(self) -> asyncio.Future[int]:
        self.taken.append(asyncio.get_running_loop().create_future())
        return self.taken[-1]


def command_log(broker: Broker, *, timeout_s: float = 5.0) -> BoundedCommandLog:
    return BoundedCommandLog(
        broker, topology=Topology((ONE,)), pending_commands=2, timeout_s=timeout_s
    )


async def turn() -> None:
    """Let everything run that can."""
    for _ in range(5):
        await asyncio.sleep(0)


async def test_an_append_returns_the_offset_that_the_broker_names() -> None:
    broker = Broker()
    log = command_log(broker)
    append = asyncio.create_task(log.append(ONE, order(1)))
    await turn()
    assert log.pending_commands == 1
    broker.taken[0].set_result(7)
    assert await append == 7
    assert log.pending_commands == 0


async def test_a_cancelled_append_counts_until_the_log_has_spoken() -> None:
    lost: list[dict[str, object]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: lost.append(context))
    broker = Broker()
    log = command_log(broker)
    gone = [asyncio.create_task(log.append(ONE, order(number))) for number in (1, 2)]
    await turn()
    for append in gone:
        append.cancel()
    assert all(isinstance(end, asyncio.CancelledError) for end in await _ends(gone))
    with pytest.raises(QueueFullError):
        await log.append(ONE, order(3))
    broker.taken[0].set_result(0)
    broker.taken[1].set_exception(LogUnavailableError("gone", retryable=True))
    await turn()
    assert log.pending_commands == 0
    broker.taken.clear()
    gc.collect()
    assert lost == []


async def test_a_late_append_has_an_unknown_outcome_and_is_not_called_back() -> None:
    broker = Broker()
    log = command_log(broker, timeout_s=0.01)
    with pytest.raises(LogTimeoutError):
        await log.append(ONE, order(1))
    assert not broker.taken[0].done()
    assert log.pending_commands == 1
    broker.taken[0].set_result(0)
    await turn()
    assert log.pending_commands == 0


async def test_an_append_that_has_to_wait_for_the_log_goes_on_without_its_caller() -> None:
    broker = Broker()
    broker.away = True
    log = command_log(broker)
    gone = asyncio.create_task(log.append(ONE, order(1)))
    await asyncio.sleep(0)
    gone.cancel()
    await turn()
    assert gone.cancelled()
    assert log.pending_commands == 1
    broker.taken[0].set_exception(LogUnavailableError("no broker answers", retryable=True))
    await turn()
    assert log.pending_commands == 0


async def test_what_the_log_refuses_is_told_and_counts_no_more() -> None:
    broker = Broker()
    log = command_log(broker)
    append = asyncio.create_task(log.append(ONE, order(1)))
    await turn()
    broker.taken[0].set_exception(LogUnavailableError("too large", retryable=False))
    with pytest.raises(LogUnavailableError):
        await append
    assert log.pending_commands == 0


async def test_a_log_that_stops_waits_for_what_is_pending_and_lets_the_rest_go() -> None:
    broker = Broker()
    log = command_log(broker, timeout_s=0.5)
    kept = asyncio.create_task(log.append(ONE, order(1)))
    lost = asyncio.create_task(log.append(ONE, order(2)))
    await turn()
    asyncio.get_running_loop().call_later(0.01, broker.taken[0].set_result, 3)
    stopping = asyncio.create_task(log.stop())
    assert await kept == 3
    await stopping
    [end] = await _ends([lost])
    assert isinstance(end, asyncio.CancelledError | LogTimeoutError)
    assert log.pending_commands == 0


async def _ends(tasks: list[asyncio.Task[int]]) -> list[int | BaseException]:
    return await asyncio.gather(*tasks, return_exceptions=True)
