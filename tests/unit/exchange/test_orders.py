"""Orders read with values alone: rows and newest events as one list, never older than told."""

import asyncio

import pytest

from actors.book.vocabulary import OrderStatus
from actors.platform.topology import EVENTS_TOPIC
from api.exchange import barrier, outcomes
from api.exchange.ids import IdGenerator
from api.exchange.refusals import NotFoundError, UnavailableError
from api.exchange.values import NewOrder, Order, Principal
from tests.beds.services import ALICE, BOB, Floor, Services, ask, bid

WAIT_S = 5.0


async def _place(gateway: Services, order: NewOrder, *, principal: Principal = ALICE) -> Order:
    placed = await gateway.entry.place(principal, order, wait_s=WAIT_S)
    assert placed.order is not None
    return placed.order


async def _page(
    gateway: Services,
    *,
    limit: int = 100,
    principal: Principal | None = ALICE,
    statuses: frozenset[OrderStatus] = frozenset(),
    before_order_id: int | None = None,
) -> list[int]:
    orders = await gateway.orders.page(
        limit=limit,
        user_id=None if principal is None else principal.user_id,
        market=None,
        statuses=statuses,
        before_order_id=before_order_id,
    )
    return [order.order_id for order in orders]


async def test_an_order_is_read_before_its_row_is_written_and_after(
    floor: Floor, gateway: Services
) -> None:
    order = await _place(gateway, bid(floor.one))
    assert await gateway.orders.get(order.order_id) == order
    floor.write()
    assert await gateway.orders.get(order.order_id) == order
    assert floor.rows.orders == {order.order_id: order}


async def test_the_newer_of_row_and_image_is_told(floor: Floor, gateway: Services) -> None:
    order = await _place(gateway, bid(floor.one))
    floor.write()
    await gateway.changes.cancel(ALICE, await gateway.orders.locate(order.order_id))
    assert floor.rows.orders[order.order_id].status == OrderStatus.OPEN
    assert (await gateway.orders.get(order.order_id)).status == OrderStatus.CANCELLED


async def test_an_order_of_another_gateway_is_found(floor: Floor, gateway: Services) -> None:
    async with floor.gateway(worker=2) as other:
        order = await _place(gateway, bid(floor.one))
        assert await other.orders.get(order.order_id) == order
        located = await other.orders.locate(order.order_id)
        assert (located.market, located.user_id) == (floor.one, ALICE.user_id)


async def test_the_order_of_a_repeated_client_order_id_is_the_first(
    floor: Floor, gateway: Services
) -> None:
    first = await _place(gateway, bid(floor.one, client_order_id="mine"))
    await gateway.entry.place(ALICE, bid(floor.one, client_order_id="mine"), wait_s=WAIT_S)
    floor.write()
    (repeat_id,) = floor.rows.orders.keys() - {first.order_id}
    assert await gateway.orders.get(repeat_id) == first
    assert await _page(gateway) == [first.order_id]


@pytest.mark.parametrize("written", [0, 2, 5])
async def test_a_page_is_the_same_however_much_of_it_is_in_the_rows(
    floor: Floor, gateway: Services, written: int
) -> None:
    placed = []
    for number in range(5):
        if number == written:
            floor.write()
        own = floor.one if number % 2 else floor.two
        placed.append((await _place(gateway, bid(own))).order_id)
    foreign = await _place(gateway, bid(floor.one), principal=BOB)
    newest_first = placed[::-1]
    assert await _page(gateway) == newest_first
    assert await _page(gateway, principal=None) == [foreign.order_id, *newest_first]
    assert await _page(gateway, limit=2) == newest_first[:2]
    assert await _page(gateway, limit=2, before_order_id=newest_first[1]) == newest_first[2:4]
    assert await _page(gateway, limit=3, before_order_id=newest_first[3]) == newest_first[4:]


async def test_rows_that_are_out_of_date_do_not_shorten_a_page(
    floor: Floor, gateway: Services
) -> None:
    orders = [await _place(gateway, bid(floor.one)) for _ in range(6)]
    floor.write()
    for order in orders[2:5]:
        await gateway.changes.cancel(ALICE, await gateway.orders.locate(order.order_id))
    open_only = frozenset({OrderStatus.OPEN})
    found = await _page(gateway, limit=3, statuses=open_only)
    assert found == [orders[index].order_id for index in (5, 1, 0)]
    cancelled = await _page(gateway, statuses=frozenset({OrderStatus.CANCELLED}))
    assert cancelled == [orders[index].order_id for index in (4, 3, 2)]


async def test_a_gateway_that_came_later_waits_for_the_row(floor: Floor, gateway: Services) -> None:
    order = await _place(gateway, bid(floor.one))
    async with floor.gateway(worker=2) as late:
        reading = asyncio.create_task(late.orders.get(order.order_id))
        await asyncio.wait([reading], timeout=0.03)
        assert not reading.done()
        floor.write()
        assert await asyncio.wait_for(reading, WAIT_S) == order


async def test_what_is_not_known_in_time_is_said_to_be_not_yet_known(
    floor: Floor, gateway: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    order = await _place(gateway, bid(floor.one))
    monkeypatch.setattr(outcomes, "WAIT_S", 0.02)
    async with floor.gateway(worker=2) as late:
        with pytest.raises(UnavailableError) as refused:
            await late.orders.get(order.order_id)
        assert refused.value.code == "NOT_YET_KNOWN"


async def test_nothing_is_read_before_the_events_that_the_log_holds(
    floor: Floor, gateway: Services
) -> None:
    order = await _place(gateway, bid(floor.one))
    partition = floor.topology.partition(floor.one)
    end = floor.log.end(EVENTS_TOPIC, partition)
    await gateway.entry.place(BOB, ask(floor.one))
    await floor.published(end + 1)
    # Whoever was told of the trade by another gateway asks this one.
    await gateway.outcomes.caught_up([floor.one.market_id])
    assert (await gateway.orders.known(order.order_id)).status == OrderStatus.FILLED


async def test_an_id_that_nobody_was_given_is_unknown(
    floor: Floor, gateway: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(NotFoundError) as refused:
        await gateway.orders.get(17)
    assert refused.value.code == "UNKNOWN_ORDER"
    # One that may exist is looked for until the rows hold all that the log held.
    possible = IdGenerator(9).next()
    await _place(gateway, bid(floor.one))
    monkeypatch.setattr(barrier, "WAIT_S", 0.01)
    with pytest.raises(UnavailableError):
        await gateway.orders.known(possible)
    floor.write()
    with pytest.raises(NotFoundError):
        await gateway.orders.known(possible)
