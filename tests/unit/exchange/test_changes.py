"""Cancels, amends and halts with values alone: the book answers each."""

import pytest

from actors.book.market import Market
from actors.book.vocabulary import OrderStatus, Side
from api.exchange.orders import Located
from api.exchange.refusals import (
    ConflictError,
    ForbiddenError,
    InvalidError,
    OutcomeUnknownError,
    UnavailableError,
)
from api.exchange.values import NewOrder, Principal
from tests.beds.services import ALICE, BOB, Floor, Services, ask, bid

WAIT_S = 5.0


async def _placed(gateway: Services, order: NewOrder, *, principal: Principal = ALICE) -> Located:
    placed = await gateway.entry.place(principal, order, wait_s=WAIT_S)
    return await gateway.orders.locate(placed.order_id)


async def test_a_cancel_is_answered_with_the_order_as_it_is_then(
    floor: Floor, gateway: Services
) -> None:
    located = await _placed(gateway, bid(floor.one))
    assert (located.market, located.user_id, located.finished) == (floor.one, 1, None)
    changed = await gateway.changes.cancel(ALICE, located)
    assert changed.order is not None
    assert (changed.order_id, changed.order.status) == (located.order_id, OrderStatus.CANCELLED)


async def test_another_user_may_not_change_an_order_and_nobody_named_is_its_owner(
    floor: Floor, gateway: Services
) -> None:
    located = await _placed(gateway, bid(floor.one))
    with pytest.raises(ForbiddenError) as refused:
        await gateway.changes.cancel(BOB, located)
    assert refused.value.code == "NOT_OWNER"
    changed = await gateway.changes.cancel(None, located)
    assert changed.order is not None
    finished = await gateway.orders.locate(located.order_id)
    with pytest.raises(ForbiddenError):
        await gateway.changes.cancel(BOB, finished)


async def test_a_finished_order_is_a_conflict_however_that_is_found_out(
    floor: Floor, gateway: Services
) -> None:
    located = await _placed(gateway, bid(floor.one))
    await gateway.changes.cancel(ALICE, located)
    # As a gateway finds it that has not heard of the cancel yet.
    with pytest.raises(ConflictError, match="finished") as by_book:
        await gateway.changes.cancel(ALICE, located)
    known = await gateway.orders.locate(located.order_id)
    assert known.finished is not None
    with pytest.raises(ConflictError, match="CANCELLED") as by_image:
        await gateway.changes.amend(ALICE, known, price_ticks=9_000)
    assert by_book.value.code == by_image.value.code == "UNKNOWN_ORDER"


async def test_an_amend_that_crosses_trades_and_tells_the_trades(
    floor: Floor, gateway: Services
) -> None:
    await gateway.entry.place(BOB, ask(floor.one, quantity_lots=60), wait_s=WAIT_S)
    located = await _placed(gateway, bid(floor.one, price_ticks=9_000))
    changed = await gateway.changes.amend(ALICE, located, price_ticks=10_000)
    assert changed.order is not None
    assert (changed.order.price_ticks, changed.order.filled_lots) == (10_000, 60)
    (trade,) = changed.trades
    assert (trade.taker_order_id, trade.quantity_lots) == (located.order_id, 60)


async def test_an_amend_changes_something(floor: Floor, gateway: Services) -> None:
    located = await _placed(gateway, bid(floor.one))
    with pytest.raises(InvalidError, match="a price, a quantity or both"):
        await gateway.changes.amend(ALICE, located)
    changed = await gateway.changes.amend(ALICE, located, quantity_lots=40)
    assert changed.order is not None
    assert (changed.order.price_ticks, changed.order.quantity_lots) == (10_000, 40)


async def test_all_open_orders_of_a_user_are_cancelled_by_market_and_side(
    floor: Floor, gateway: Services
) -> None:
    for order in (
        bid(floor.one),
        bid(floor.one),
        ask(floor.one, price_ticks=11_000),
        bid(floor.two),
    ):
        await gateway.entry.place(ALICE, order, wait_s=WAIT_S)
    other = await _placed(gateway, bid(floor.one), principal=BOB)
    both = (floor.one, floor.two)
    assert await gateway.changes.cancel_all(ALICE, both, side=Side.SELL) == {
        "T1-USD": 1,
        "T2-USD": 0,
    }
    assert await gateway.changes.cancel_all(ALICE, both, side=None) == {"T1-USD": 2, "T2-USD": 1}
    assert (await gateway.orders.get(other.order_id)).status == OrderStatus.OPEN


async def test_a_change_that_the_log_did_not_confirm_is_unknown(
    floor: Floor, gateway: Services
) -> None:
    located = await _placed(gateway, bid(floor.one))
    floor.log.confirms = False
    with pytest.raises(OutcomeUnknownError) as refused:
        await gateway.changes.cancel(ALICE, located)
    floor.log.confirms = True
    assert (refused.value.code, refused.value.order_id) == ("OUTCOME_UNKNOWN", located.order_id)


async def test_a_cancel_of_what_may_still_be_on_its_way_is_no_conflict(
    floor: Floor, gateway: Services
) -> None:
    unsettled = Located(order_id=4_711, market=floor.one, user_id=1, finished=None)
    gateway.changes.sent.note_unsettled([4_711])
    with pytest.raises(UnavailableError) as refused:
        await gateway.changes.cancel(ALICE, unsettled)
    assert (refused.value.code, refused.value.retry_after_s) == ("OUTCOME_UNKNOWN", 1)


async def test_a_cancel_of_all_tells_what_it_did_where_one_market_could_not_be_told(
    floor: Floor, gateway: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    for market in (floor.one, floor.two):
        await _placed(gateway, bid(market))
    send = gateway.changes.sender.change

    async def full_for_one(market: Market, packed: bytes, *, order_id: int) -> None:
        if market is floor.one:
            raise UnavailableError("QUEUE_FULL", "Too many wait.", retry_after_s=1)
        await send(market, packed, order_id=order_id)

    monkeypatch.setattr(type(gateway.changes.sender), "change", staticmethod(full_for_one))
    told = await gateway.changes.cancel_all(ALICE, [floor.one, floor.two], side=None)
    assert told == {floor.one.pair: None, floor.two.pair: 1}
    with pytest.raises(UnavailableError):
        await gateway.changes.cancel_all(ALICE, [floor.one], side=None)
