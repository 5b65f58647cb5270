"""Expiry, cancel-all and remembered client order ids."""

import pytest

from actors.book.compiled import CompiledBook
from actors.book.naive import NaiveBook
from actors.book.reasons import Reason
from actors.book.vocabulary import CommandKind, EventKind, Flag, OrderStatus, Side, TimeInForce
from tests.unit.book.desk import Desk, market, outcome

GTD = TimeInForce.GTD


def test_orders_expire_by_time_then_id_before_the_command_that_brings_the_time(
    desk: Desk,
) -> None:
    for order_id, expires_us in ((5, 300), (4, 200), (3, 300), (2, 400)):
        desk.buy(order_id, 1, 100, time_in_force=GTD, expires_us=expires_us, time_us=100)
    assert desk.book.next_expiry_us() == 200
    end = desk.sell(9, 1, 100, user_id=2, time_us=300)
    expired = [event for event in desk.events if event.get("reason") == Reason.TIME_EXPIRED]
    assert [event["order_id"] for event in expired] == [4, 3, 5]
    assert all(event["status"] == OrderStatus.EXPIRED for event in expired)
    assert all("flags" not in event and "command_id" not in event for event in expired)
    assert desk.trades == [(2, 1, 100)]
    assert outcome(end) == (OrderStatus.FILLED, Reason.NONE)
    assert desk.book.next_expiry_us() == 0


def test_a_clock_expires_orders_of_a_halted_market_and_answers_nothing_else(desk: Desk) -> None:
    desk.buy(1, 1, 100, time_in_force=GTD, expires_us=200, time_us=100)
    desk.send(CommandKind.HALT)
    assert desk.send(CommandKind.CLOCK, time_us=199) == []
    events = desk.send(CommandKind.CLOCK, time_us=200)
    assert [event["order_id"] for event in events] == [1]
    assert desk.book.open_orders == 0


def test_book_time_never_goes_back(desk: Desk) -> None:
    desk.send(CommandKind.CLOCK, time_us=500)
    event = desk.buy(1, 1, 100, time_us=100)
    assert (event["time_us"], event["created_us"]) == (500, 500)
    end = desk.buy(2, 1, 100, time_us=100, time_in_force=GTD, expires_us=400)
    assert outcome(end) == (OrderStatus.REJECTED, Reason.EXPIRED)


def test_an_amended_cancelled_or_filled_order_does_not_expire_again(desk: Desk) -> None:
    for order_id in range(1, 5):
        desk.buy(order_id, 2, 100, time_in_force=GTD, expires_us=100 + order_id)
    desk.cancel(2)
    desk.sell(9, 2, 100, user_id=2)
    desk.amend(4, price_ticks=101)
    assert desk.book.next_expiry_us() == 103
    events = desk.send(CommandKind.CLOCK, time_us=1_000)
    assert [event["order_id"] for event in events] == [3, 4]


@pytest.mark.parametrize(
    ("side", "gone"), [(0, [2, 4, 3, 1]), (Side.BUY, [3, 1]), (Side.SELL, [2, 4])]
)
def test_cancel_all_takes_a_users_orders_as_they_came_to_rest(
    desk: Desk, side: int, gone: list[int]
) -> None:
    desk.buy(1, 5, 100)
    desk.sell(2, 5, 200)
    desk.sell(4, 5, 190)
    desk.buy(3, 5, 101)
    desk.buy(5, 5, 100, user_id=2)
    desk.amend(1, quantity_lots=6)
    desk.amend(2, quantity_lots=4)
    desk.send(CommandKind.HALT)
    *images, done = desk.send(CommandKind.CANCEL_ALL, side=side)
    assert [event["order_id"] for event in images] == gone
    assert {outcome(event) for event in images} == {
        (OrderStatus.CANCELLED, Reason.CANCELLED_BY_USER)
    }
    assert all("flags" not in event for event in images)
    assert (done["kind"], done["flags"], done["quantity_lots"]) == (
        EventKind.DONE,
        Flag.LAST,
        len(gone),
    )
    assert desk.book.open_orders == 5 - len(gone)
    assert "quantity_lots" not in desk.send(CommandKind.CANCEL_ALL, side=side)[-1]


@pytest.mark.parametrize("user_id", [0, -1, 77])
def test_cancel_all_of_nobody_removes_nothing(desk: Desk, user_id: int) -> None:
    desk.buy(1, 5, 100)
    events = desk.send(CommandKind.CANCEL_ALL, user_id=user_id)
    assert [event["kind"] for event in events] == [EventKind.DONE]
    assert desk.book.open_orders == 1


def test_a_second_order_with_the_same_client_id_names_the_first_and_never_trades(
    desk: Desk,
) -> None:
    desk.sell(1, 5, 100, user_id=2)
    desk.buy(2, 2, 100, client_order_id="mine")
    again = desk.buy(3, 2, 100, client_order_id="mine")
    assert outcome(again) == (OrderStatus.REJECTED, Reason.DUPLICATE_CLIENT_ORDER_ID)
    assert again["related_order_id"] == 2
    assert desk.trades == []
    other_user = desk.buy(4, 2, 100, user_id=3, client_order_id="mine")
    assert outcome(other_user) == (OrderStatus.FILLED, Reason.NONE)


def test_a_finished_orders_client_id_is_forgotten_after_the_markets_memory(desk: Desk) -> None:
    desk.buy(1, 1, 100, client_order_id="open")
    for order_id, text in ((2, "a"), (3, "b")):
        desk.buy(order_id, 1, 100, client_order_id=text)
        desk.cancel(order_id)
    assert outcome(desk.buy(4, 1, 100, client_order_id="a"))[1] == Reason.DUPLICATE_CLIENT_ORDER_ID
    desk.buy(5, 1, 100)
    desk.cancel(5)
    assert outcome(desk.buy(6, 1, 100, client_order_id="a"))[1] == Reason.DUPLICATE_CLIENT_ORDER_ID
    desk.buy(7, 1, 100, client_order_id="c", time_in_force=TimeInForce.IOC)
    assert outcome(desk.buy(8, 1, 100, client_order_id="a"))[0] == OrderStatus.OPEN
    assert outcome(desk.buy(9, 1, 100, client_order_id="b"))[1] == Reason.DUPLICATE_CLIENT_ORDER_ID
    again = desk.buy(10, 1, 100, client_order_id="open")
    assert again["related_order_id"] == 1


def test_a_rejected_order_has_taken_its_client_id_and_a_malformed_one_has_not(
    desk: Desk,
) -> None:
    desk.buy(1, 0, 100, client_order_id="zero")
    assert outcome(desk.buy(2, 1, 100, client_order_id="zero"))[1] == (
        Reason.DUPLICATE_CLIENT_ORDER_ID
    )
    desk.buy(3, 1, 100, client_order_id="odd", quote_units=1)
    assert outcome(desk.buy(4, 1, 100, client_order_id="odd"))[0] == OrderStatus.OPEN


def test_client_ids_that_differ_in_their_last_character_are_different(desk: Desk) -> None:
    stem = "x" * 35
    for order_id, last in enumerate("abcdef", start=1):
        end = desk.buy(order_id, 1, 100, client_order_id=stem + last)
        assert outcome(end) == (OrderStatus.OPEN, Reason.NONE)


def test_thousands_of_client_ids_pass_through_a_small_memory(
    book_type: type[NaiveBook | CompiledBook],
) -> None:
    desk = Desk(book_type(market(client_id_memory=50)))
    for order_id in range(1, 2_001):
        desk.buy(order_id, 1, 100, client_order_id=f"id-{order_id}")
        desk.cancel(order_id)
    for text, known in (("id-1951", True), ("id-1950", False)):
        end = desk.buy(9_999, 1, 100, client_order_id=text)
        assert (outcome(end)[1] == Reason.DUPLICATE_CLIENT_ORDER_ID) == known
