"""Order entry with values alone: what is taken, what is refused, and what a repeat is answered."""

import asyncio

import pytest

from actors.book.vocabulary import OrderStatus, TimeInForce
from actors.platform.topology import COMMANDS_TOPIC
from api.exchange.refusals import (
    ConflictError,
    InvalidError,
    NotFoundError,
    OutcomeUnknownError,
    Refusal,
    UnavailableError,
    malformed,
)
from api.exchange.values import NewOrder, Placed, Principal
from tests.beds.services import ALICE, BOB, Floor, Services, ask, bid

WAIT_S = 5.0
STRANGER = Principal(77)


async def _refused(
    gateway: Services, order: NewOrder, *, principal: Principal = ALICE, wait_s: float = 0.0
) -> Refusal:
    with pytest.raises(Refusal) as caught:
        await gateway.entry.place(principal, order, wait_s=wait_s)
    return caught.value


async def test_an_order_is_answered_as_soon_as_the_log_has_it(
    floor: Floor, gateway: Services
) -> None:
    placed = await gateway.entry.place(ALICE, bid(floor.one))
    assert placed == Placed(order_id=placed.order_id)
    assert floor.log.end(COMMANDS_TOPIC, floor.topology.partition(floor.one)) == 1


async def test_who_waits_is_told_what_the_book_made_of_the_order(
    floor: Floor, gateway: Services
) -> None:
    maker = await gateway.entry.place(ALICE, ask(floor.one, quantity_lots=30), wait_s=WAIT_S)
    assert maker.order is not None
    assert (maker.order.status, maker.trades) == (OrderStatus.OPEN, ())
    taker = await gateway.entry.place(BOB, bid(floor.one, quantity_lots=50), wait_s=WAIT_S)
    assert taker.order is not None
    assert (taker.order.status, taker.order.filled_lots) == (OrderStatus.PARTIALLY_FILLED, 30)
    (trade,) = taker.trades
    assert (trade.maker_order_id, trade.taker_order_id) == (maker.order_id, taker.order_id)
    assert (trade.maker_user_id, trade.taker_user_id) == (ALICE.user_id, BOB.user_id)
    assert (trade.price_ticks, trade.quantity_lots) == (10_000, 30)


async def test_what_no_book_would_take_never_reaches_the_log(
    floor: Floor, gateway: Services
) -> None:
    refused = await _refused(gateway, bid(floor.one, price_ticks=0))
    assert (type(refused), refused.code) == (InvalidError, "MALFORMED")
    expired = bid(floor.one, time_in_force=TimeInForce.GTD, expires_us=1)
    assert (await _refused(gateway, expired)).code == "EXPIRED"
    refused = await _refused(gateway, bid(floor.one), principal=STRANGER)
    assert (type(refused), refused.code) == (NotFoundError, "UNKNOWN_USER")
    assert floor.log.end(COMMANDS_TOPIC, floor.topology.partition(floor.one)) == 0


async def test_a_halted_market_takes_no_orders_and_the_others_do(
    floor: Floor, gateway: Services
) -> None:
    assert await gateway.changes.set_halted(floor.one, halted=True)
    refused = await _refused(gateway, bid(floor.one))
    assert (type(refused), refused.code) == (ConflictError, "HALTED")
    first, second = await gateway.entry.place_many(
        [(ALICE, bid(floor.one)), (ALICE, bid(floor.two))]
    )
    assert isinstance(first, ConflictError)
    assert isinstance(second, Placed)
    assert await gateway.changes.set_halted(floor.one, halted=False)
    assert (await gateway.entry.place(ALICE, bid(floor.one))).order_id


async def test_an_order_that_reaches_a_market_as_it_is_halted_is_refused_by_the_book(
    floor: Floor, gateway: Services
) -> None:
    # Both commands are on their way before anybody has heard of the halt.
    halted, refused = await asyncio.gather(
        gateway.changes.set_halted(floor.one, halted=True),
        _refused(gateway, bid(floor.one), wait_s=WAIT_S),
    )
    assert halted
    assert (type(refused), refused.code) == (ConflictError, "HALTED")
    assert refused.order_id


async def test_a_full_queue_refuses_and_keeps_nothing(floor: Floor) -> None:
    async with floor.gateway(produce_pending_commands=2) as narrow:
        answers = await narrow.entry.place_many([(ALICE, bid(floor.one))] * 3)
        for answer in answers:
            assert isinstance(answer, UnavailableError)
            assert (answer.code, answer.retry_after_s, answer.order_id) == ("QUEUE_FULL", 1, 0)
        assert floor.log.end(COMMANDS_TOPIC, floor.topology.partition(floor.one)) == 0
        placed = await narrow.entry.place_many([(ALICE, bid(floor.one))] * 2)
        assert all(isinstance(answer, Placed) for answer in placed)


async def test_too_many_who_wait_are_turned_away_before_the_log(floor: Floor) -> None:
    async with floor.gateway(waiters=0) as full:
        refused = await _refused(full, bid(floor.one), wait_s=WAIT_S)
        assert (type(refused), refused.code) == (UnavailableError, "TOO_MANY_WAITING")
        assert floor.log.end(COMMANDS_TOPIC, floor.topology.partition(floor.one)) == 0


async def test_a_batch_is_one_record_a_market_and_each_order_is_answered_in_its_place(
    floor: Floor, gateway: Services
) -> None:
    unread = malformed("Not an order.")
    answers = await gateway.entry.place_many(
        [
            (ALICE, bid(floor.one)),
            unread,
            (STRANGER, bid(floor.one)),
            (BOB, ask(floor.two)),
            (BOB, bid(floor.one, quantity_lots=0)),
            (BOB, bid(floor.one, price_ticks=9_999)),
        ]
    )
    codes = [answer.code if isinstance(answer, Refusal) else None for answer in answers]
    assert codes == [None, "MALFORMED", "UNKNOWN_USER", None, "MALFORMED", None]
    ids = [answer.order_id for answer in answers if isinstance(answer, Placed)]
    assert ids == sorted(set(ids))
    for own in (floor.one, floor.two):
        assert floor.log.end(COMMANDS_TOPIC, floor.topology.partition(own)) == 1


@pytest.mark.parametrize("count", [0, 4])
async def test_a_batch_has_its_bounds(floor: Floor, count: int) -> None:
    async with floor.gateway(batch_orders=3) as small:
        with pytest.raises(InvalidError, match=f"1 to 3 orders, not {count}"):
            await small.entry.place_many([(ALICE, bid(floor.one))] * count)


async def test_a_client_order_id_again_is_answered_with_the_first_order(
    floor: Floor, gateway: Services
) -> None:
    await gateway.entry.place(BOB, ask(floor.one, quantity_lots=40), wait_s=WAIT_S)
    order = bid(floor.one, client_order_id="mine")
    first = await gateway.entry.place(ALICE, order, wait_s=WAIT_S)
    again = await gateway.entry.place(ALICE, order, wait_s=WAIT_S)
    assert again.is_repeat
    assert (again.order_id, again.order, again.trades) == (
        first.order_id,
        first.order,
        first.trades,
    )
    brief = await gateway.entry.place(ALICE, order)
    assert brief == Placed(order_id=first.order_id, is_repeat=True)


async def test_a_repeat_is_known_at_every_gateway_and_after_the_row_is_written(
    floor: Floor, gateway: Services
) -> None:
    order = bid(floor.one, client_order_id="mine")
    first = await gateway.entry.place(ALICE, order)
    floor.write()
    async with floor.gateway(worker=2) as late:
        again = await late.entry.place(ALICE, order, wait_s=WAIT_S)
        assert (again.order_id, again.is_repeat) == (first.order_id, True)
        assert again.order is not None
        assert again.order.status == OrderStatus.OPEN


async def test_a_repeat_whose_first_order_cannot_be_read_is_not_told_that_nothing_was_done(
    floor: Floor, gateway: Services
) -> None:
    order = bid(floor.one, client_order_id="mine")
    first = await gateway.entry.place(ALICE, order)
    floor.write()
    async with floor.gateway(worker=2) as late:
        floor.rows.away = True
        alone = await _refused(late, order)
        (among_others,) = await late.entry.place_many([(ALICE, order)])
        for refused in (alone, among_others):
            assert isinstance(refused, OutcomeUnknownError)
            assert (refused.code, refused.order_id) == ("OUTCOME_UNKNOWN", first.order_id)
        floor.rows.away = False
        assert (await late.entry.place(ALICE, order)).order_id == first.order_id


@pytest.mark.parametrize("change", [{"price_ticks": 9_000}, {"quantity_lots": 1}])
async def test_a_client_order_id_with_another_order_is_a_conflict_that_names_the_first(
    floor: Floor, gateway: Services, change: dict[str, int]
) -> None:
    first = await gateway.entry.place(ALICE, bid(floor.one, client_order_id="mine"))
    other = bid(floor.one, client_order_id="mine", **change)
    for wait_s in (0.0, WAIT_S):
        refused = await _refused(gateway, other, wait_s=wait_s)
        assert (type(refused), refused.code) == (ConflictError, "DUPLICATE_CLIENT_ORDER_ID")
        assert refused.order_id == first.order_id
    placed = await gateway.entry.place(BOB, other)
    assert not placed.is_repeat


async def test_repeats_within_a_batch_are_told_the_first(floor: Floor, gateway: Services) -> None:
    order = bid(floor.one, client_order_id="mine")
    first, again, other = await gateway.entry.place_many(
        [
            (ALICE, order),
            (ALICE, order),
            (ALICE, bid(floor.one, client_order_id="mine", price_ticks=9_000)),
        ]
    )
    assert isinstance(first, Placed)
    assert again == Placed(order_id=first.order_id, is_repeat=True)
    assert isinstance(other, ConflictError)
    assert other.order_id == first.order_id


async def test_what_the_log_did_not_confirm_is_unknown_and_found_by_its_id(
    floor: Floor, gateway: Services
) -> None:
    floor.log.confirms = False
    refused = await _refused(gateway, bid(floor.one))
    assert (type(refused), refused.code) == (OutcomeUnknownError, "OUTCOME_UNKNOWN")
    floor.log.confirms = True
    await floor.published(1)
    order = await gateway.orders.get(refused.order_id)
    assert (order.order_id, order.status) == (refused.order_id, OrderStatus.OPEN)


async def test_the_refusals_of_an_unconfirmed_batch_name_each_its_own_order(
    floor: Floor, gateway: Services
) -> None:
    floor.log.confirms = False
    answers = await gateway.entry.place_many([(ALICE, bid(floor.one))] * 2)
    floor.log.confirms = True
    ids = [answer.order_id for answer in answers]
    assert all(isinstance(answer, OutcomeUnknownError) for answer in answers)
    assert len(set(ids)) == 2
    await floor.published(1)
    assert [(await gateway.orders.get(order_id)).order_id for order_id in ids] == ids
