"""The exchange's ear: at once for who waits, seldom for nobody, and never older than told."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from actors.book.vocabulary import OrderStatus
from actors.platform.topology import EVENTS_TOPIC
from api.exchange import outcomes
from tests.beds.services import ALICE, Floor, Services, ask, bid
from tests.beds.waiting import until

_NEVER_S = 3_600.0
WAIT_S = 5.0


@pytest.fixture
async def gateway(floor: Floor, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Services]:
    """A gateway that rests for ever after each look, as long as nobody waits."""
    monkeypatch.setattr(outcomes, "REST_S", _NEVER_S)
    async with floor.gateway() as services:
        yield services


async def _resting(floor: Floor, gateway: Services) -> None:
    """Return when the gateway has had its look."""
    placed = await gateway.entry.place(ALICE, bid(floor.two))
    await floor.published(1, market=floor.two)

    async def heard() -> bool:
        return len(gateway.recent.image(placed.order_id)) > 0

    await until(heard, what="the gateway's look")


async def test_nothing_is_heard_while_nobody_waits(floor: Floor, gateway: Services) -> None:
    await _resting(floor, gateway)
    placed = await gateway.entry.place(ALICE, bid(floor.one))
    await floor.published(1)
    for _ in range(100):
        await asyncio.sleep(0)
    assert len(gateway.recent.image(placed.order_id)) == 0


async def test_who_waits_hears_at_once(floor: Floor, gateway: Services) -> None:
    await _resting(floor, gateway)
    async with asyncio.timeout(WAIT_S):
        first = await gateway.entry.place(ALICE, bid(floor.one), wait_s=WAIT_S)
        second = await gateway.entry.place(ALICE, ask(floor.two, price_ticks=20_000), wait_s=WAIT_S)
    assert first.order is not None
    assert second.order is not None


async def test_a_read_holds_what_nobody_waited_for(floor: Floor, gateway: Services) -> None:
    await _resting(floor, gateway)
    placed = await gateway.entry.place(ALICE, bid(floor.one))
    await floor.published(1)
    assert (await gateway.orders.get(placed.order_id)).status == OrderStatus.OPEN


async def test_an_order_of_another_gateway_is_located_before_its_row_is_written(
    floor: Floor, gateway: Services
) -> None:
    await _resting(floor, gateway)
    async with floor.gateway(worker=2) as other:
        placed = await other.entry.place(ALICE, bid(floor.one), wait_s=WAIT_S)
    located = await gateway.orders.locate(placed.order_id)
    assert (located.market, located.user_id) == (floor.one, ALICE.user_id)


async def test_many_records_that_nobody_waited_for_are_heard_in_one_look(
    floor: Floor, gateway: Services
) -> None:
    await _resting(floor, gateway)
    for number in range(20):
        await gateway.entry.place(ALICE, bid(floor.one, price_ticks=5_000 + number))
    await floor.published(20)
    await gateway.changes.set_halted(floor.one, halted=True)
    assert gateway.watch.is_halted(floor.one)
    assert floor.log.end(EVENTS_TOPIC, floor.topology.partition(floor.one)) >= 21
    assert len(gateway.recent.images([floor.one.market_id])) == 20
