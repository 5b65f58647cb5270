"""Trades and fills with values alone: rows and newest events, each once, newest first."""

import pytest

from api.exchange.storage.fills import FillPosition
from api.exchange.values import Principal
from tests.beds.services import ALICE, BOB, Floor, Services, ask, bid

WAIT_S = 5.0


async def _trade(
    floor: Floor,
    gateway: Services,
    *,
    count: int,
    maker: Principal = ALICE,
    taker: Principal = BOB,
) -> None:
    """Let so many orders of a maker each trade with one of a taker's."""
    for _ in range(count):
        await gateway.entry.place(maker, ask(floor.one, quantity_lots=1), wait_s=WAIT_S)
        await gateway.entry.place(taker, bid(floor.one, quantity_lots=1), wait_s=WAIT_S)


@pytest.mark.parametrize("unwritten", [0, 2, 5])
async def test_trades_are_listed_once_and_newest_first_wherever_they_are(
    floor: Floor, gateway: Services, unwritten: int
) -> None:
    await _trade(floor, gateway, count=5 - unwritten)
    floor.write()
    await _trade(floor, gateway, count=unwritten)
    trades = await gateway.history.trades(floor.one, limit=100, before_trade_id=None)
    ids = [trade.trade_id for trade in trades]
    assert ids == [5, 4, 3, 2, 1]
    page = await gateway.history.trades(floor.one, limit=2, before_trade_id=4)
    assert page == trades[2:4]
    assert await gateway.history.trades(floor.two, limit=9, before_trade_id=None) == []
    floor.write()
    assert await gateway.history.trades(floor.one, limit=100, before_trade_id=None) == trades


@pytest.mark.parametrize("unwritten", [0, 2, 4])
async def test_fills_are_a_users_own_sides_page_by_page(
    floor: Floor, gateway: Services, unwritten: int
) -> None:
    await _trade(floor, gateway, count=4 - unwritten)
    floor.write()
    await _trade(floor, gateway, count=unwritten)
    for principal, is_maker in ((ALICE, True), (BOB, False)):
        seen = []
        after: FillPosition | None = None
        while page := await gateway.history.fills(
            user_id=principal.user_id, market=None, limit=3, after=after
        ):
            seen += page
            after = FillPosition.of(page[-1])
        assert [fill.trade_id for fill in seen] == [4, 3, 2, 1]
        assert {fill.is_maker for fill in seen} == {is_maker}


async def test_who_trades_with_himself_has_both_sides_the_takers_first(
    floor: Floor, gateway: Services
) -> None:
    await _trade(floor, gateway, count=1, maker=ALICE, taker=ALICE)
    for _ in range(2):
        fills = await gateway.history.fills(
            user_id=ALICE.user_id, market=floor.one, limit=10, after=None
        )
        assert [(fill.trade_id, fill.is_maker) for fill in fills] == [(1, False), (1, True)]
        rest = await gateway.history.fills(
            user_id=ALICE.user_id, market=floor.one, limit=10, after=FillPosition.of(fills[0])
        )
        assert rest == fills[1:]
        floor.write()
