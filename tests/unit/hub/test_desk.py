"""The hub's desk: one attempt to open the exchange for all who wait, and loops that are watched."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from types import SimpleNamespace
from typing import Any, cast

import pytest

from actors.platform.errors import LogUnavailableError
from api.exchange.exchange import Exchange
from api.exchange.refusals import NotFoundError
from api.hub.desk import ExchangeDesk

_ORDER = {"tradingPair": "BTC-USD", "type": "BUY", "price": 1, "quantity": 1, "userId": 1}


class _Door:
    """An exchange without markets that opens, or fails to, when it is let; it counts attempts."""

    def __init__(self) -> None:
        self.attempts = 0
        self.closed = 0
        self.opens: Iterator[bool] = iter(())
        self.let = asyncio.Event()
        self.tried = asyncio.Event()
        self.ended: list[str] = []

    @asynccontextmanager
    async def open(self) -> AsyncIterator[Exchange]:
        self.attempts += 1
        self.tried.set()
        await self.let.wait()
        if not next(self.opens):
            raise LogUnavailableError("away", retryable=True)
        yield cast(Exchange, SimpleNamespace(markets={}, ended_loops=lambda: self.ended))
        self.closed += 1


async def _answers(desk: ExchangeDesk, count: int, door: _Door) -> list[Any]:
    asking = [asyncio.create_task(desk.place(_ORDER)) for _ in range(count)]
    await door.tried.wait()
    door.let.set()
    return await asyncio.gather(*asking, return_exceptions=True)


async def test_all_who_wait_share_one_attempt_and_who_comes_later_begins_another() -> None:
    door = _Door()
    desk = ExchangeDesk(door.open)
    door.opens = iter((False, True))
    answers = await _answers(desk, 20, door)
    assert {type(answer) for answer in answers} == {LogUnavailableError}
    assert door.attempts == 1
    answers = await _answers(desk, 20, door)
    assert {type(answer) for answer in answers} == {NotFoundError}
    assert door.attempts == 2
    await desk.close()
    assert door.closed == 1


async def test_a_client_that_goes_away_leaves_the_attempt_to_the_others() -> None:
    door = _Door()
    desk = ExchangeDesk(door.open)
    door.opens = iter((True,))
    leaving = asyncio.create_task(desk.place(_ORDER))
    await door.tried.wait()
    leaving.cancel()
    await asyncio.gather(leaving, return_exceptions=True)
    (answer,) = await _answers(desk, 1, door)
    assert (type(answer), door.attempts) == (NotFoundError, 1)
    await desk.close()
    assert door.closed == 1


async def test_a_desk_is_closed_though_its_exchange_has_not_opened() -> None:
    door = _Door()
    desk = ExchangeDesk(door.open)
    asking = asyncio.create_task(desk.place(_ORDER))
    await door.tried.wait()
    await asyncio.wait_for(desk.close(), 5)
    (answer,) = await asyncio.gather(asking, return_exceptions=True)
    assert isinstance(answer, asyncio.CancelledError)


async def test_a_desk_whose_exchange_has_lost_a_loop_is_not_healthy() -> None:
    door = _Door()
    desk = ExchangeDesk(door.open)
    desk.check_health()
    door.opens = iter((True,))
    await _answers(desk, 1, door)
    desk.check_health()
    door.ended.append("market watch")
    with pytest.raises(RuntimeError, match="market watch"):
        desk.check_health()
    await desk.close()
