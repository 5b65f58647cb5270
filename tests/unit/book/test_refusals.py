"""Every reason for which a command is refused or a new order rejected."""

import pytest

from actors.book.compiled import CompiledBook
from actors.book.naive import NaiveBook
from actors.book.reasons import Reason
from actors.book.records import encode_client_order_id
from actors.book.vocabulary import (
    CommandKind,
    EventKind,
    Flag,
    OrderStatus,
    OrderType,
    Side,
    TimeInForce,
)
from tests.unit.book.desk import Desk, Fields, market, outcome, refusal

GOOD: Fields = {
    "order_id": 7,
    "side": Side.BUY,
    "order_type": OrderType.LIMIT,
    "time_in_force": TimeInForce.GTC,
    "price_ticks": 100,
    "quantity_lots": 10,
    "time_us": 1_000,
}
AT_MARKET = {"order_type": OrderType.MARKET, "time_in_force": TimeInForce.IOC, "price_ticks": 0}
REJECTIONS: dict[str, tuple[Reason, Fields]] = {
    "no user": (Reason.MALFORMED, {"user_id": 0}),
    "no side": (Reason.MALFORMED, {"side": 0}),
    "a third side": (Reason.MALFORMED, {"side": 3}),
    "an unknown type": (Reason.MALFORMED, {"order_type": 9}),
    "an unknown time in force": (Reason.MALFORMED, {"time_in_force": 0}),
    "an unknown prevention": (Reason.MALFORMED, {"self_trade_prevention": 5}),
    "a limit by quote": (Reason.MALFORMED, {"quote_units": 5}),
    "a resting market order": (Reason.MALFORMED, AT_MARKET | {"time_in_force": TimeInForce.GTC}),
    "a market order with a price": (Reason.MALFORMED, AT_MARKET | {"price_ticks": 1}),
    "a market order by both": (Reason.MALFORMED, AT_MARKET | {"quote_units": 5}),
    "a market order by neither": (Reason.MALFORMED, AT_MARKET | {"quantity_lots": 0}),
    "a post-only market order": (Reason.MALFORMED, AT_MARKET | {"flags": Flag.POST_ONLY}),
    "FOK by quote": (
        Reason.MALFORMED,
        AT_MARKET | {"time_in_force": TimeInForce.FOK, "quantity_lots": 0, "quote_units": 9},
    ),
    "post-only IOC": (
        Reason.MALFORMED,
        {"time_in_force": TimeInForce.IOC, "flags": Flag.POST_ONLY},
    ),
    "GTD without an expiry": (Reason.MALFORMED, {"time_in_force": TimeInForce.GTD}),
    "GTD in the past": (Reason.EXPIRED, {"time_in_force": TimeInForce.GTD, "expires_us": 1_000}),
    "no price": (Reason.NOT_POSITIVE, {"price_ticks": 0}),
    "a negative quantity": (Reason.NOT_POSITIVE, {"quantity_lots": -1}),
    "a negative quote": (
        Reason.NOT_POSITIVE,
        AT_MARKET | {"quantity_lots": 0, "quote_units": -(2**63)},
    ),
    "a price too high": (Reason.ABOVE_MAXIMUM, {"price_ticks": 10_001}),
    "a quantity too large": (Reason.ABOVE_MAXIMUM, {"quantity_lots": 2**63 - 1}),
    "a quote too large": (
        Reason.ABOVE_MAXIMUM,
        AT_MARKET | {"quantity_lots": 0, "quote_units": 10_000_001},
    ),
    "too little value": (Reason.BELOW_MINIMUM_NOTIONAL, {"quantity_lots": 4}),
    "too little quote": (
        Reason.BELOW_MINIMUM_NOTIONAL,
        AT_MARKET | {"quantity_lots": 0, "quote_units": 499},
    ),
    "post-only across the spread": (
        Reason.WOULD_CROSS,
        {"price_ticks": 200, "flags": Flag.POST_ONLY},
    ),
    "FOK beyond the book": (
        Reason.NOT_ENOUGH_TO_FILL,
        {"price_ticks": 200, "quantity_lots": 11, "time_in_force": TimeInForce.FOK},
    ),
    "FOK beyond its limit": (
        Reason.NOT_ENOUGH_TO_FILL,
        {"price_ticks": 199, "time_in_force": TimeInForce.FOK},
    ),
}


@pytest.fixture
def quoted(book_type: type[NaiveBook | CompiledBook]) -> Desk:
    """A market with a minimum of 500 and one offer: 10 lots at 200 of user 2."""
    desk = Desk(book_type(market(min_notional_units=500)))
    desk.sell(1, 10, 200, user_id=2)
    return desk


@pytest.mark.parametrize("case", REJECTIONS)
def test_an_order_is_rejected_with_its_own_image_for(quoted: Desk, case: str) -> None:
    reason, changes = REJECTIONS[case]
    fields = GOOD | changes
    events = quoted.send(CommandKind.PLACE, **fields)
    assert len(events) == 1
    assert outcome(events[0]) == (OrderStatus.REJECTED, reason)
    assert events[0]["flags"] == Flag.LAST | Flag.NEW | fields.get("flags", 0)
    assert events[0]["order_id"] == 7
    assert events[0].get("price_ticks", 0) == fields["price_ticks"]
    assert events[0].get("quantity_lots", 0) == fields["quantity_lots"]
    assert quoted.book.open_orders == 1
    assert quoted.book.update_id == 1


def test_the_good_order_that_the_rejected_ones_differ_from_is_taken(quoted: Desk) -> None:
    assert outcome(quoted.send(CommandKind.PLACE, **GOOD)[-1]) == (OrderStatus.OPEN, Reason.NONE)


@pytest.mark.parametrize("order_id", [0, -1, -(2**63)])
def test_an_order_id_below_one_is_refused_without_an_image(quoted: Desk, order_id: int) -> None:
    event = quoted.send(CommandKind.PLACE, **GOOD | {"order_id": order_id})[-1]
    assert refusal(event) == Reason.MALFORMED
    for kind in (CommandKind.CANCEL, CommandKind.AMEND):
        event = quoted.send(kind, order_id=order_id, quantity_lots=1)[-1]
        assert refusal(event) == Reason.UNKNOWN_ORDER


def test_an_open_order_id_is_refused_to_a_second_order(quoted: Desk) -> None:
    assert refusal(quoted.buy(1, 10, 100)) == Reason.DUPLICATE_ORDER_ID
    assert quoted.queue(Side.SELL) == [(1, 10, 200)]


def test_an_id_is_free_again_after_a_cancel_and_after_a_fill(quoted: Desk) -> None:
    quoted.cancel(1, user_id=2)
    assert outcome(quoted.sell(1, 10, 200, user_id=2)) == (OrderStatus.OPEN, Reason.NONE)
    quoted.buy(2, 10, 200)
    assert quoted.trades == [(1, 10, 200)]
    assert outcome(quoted.sell(1, 10, 200, user_id=2)) == (OrderStatus.OPEN, Reason.NONE)
    assert outcome(quoted.buy(2, 10, 100)) == (OrderStatus.OPEN, Reason.NONE)


def test_a_finished_orders_cancel_and_amend_are_refused(quoted: Desk) -> None:
    quoted.buy(2, 10, 200)
    for order_id, user_id in ((1, 2), (2, 1)):
        assert refusal(quoted.cancel(order_id, user_id=user_id)) == Reason.UNKNOWN_ORDER
        event = quoted.amend(order_id, user_id=user_id, quantity_lots=1)
        assert refusal(event) == Reason.UNKNOWN_ORDER


def test_only_the_owner_and_the_operator_may_touch_an_order(quoted: Desk) -> None:
    assert refusal(quoted.cancel(1, user_id=1)) == Reason.NOT_OWNER
    assert refusal(quoted.amend(1, user_id=1, quantity_lots=9)) == Reason.NOT_OWNER
    assert outcome(quoted.amend(1, user_id=0, quantity_lots=9))[0] == OrderStatus.OPEN
    assert outcome(quoted.cancel(1, user_id=0))[0] == OrderStatus.CANCELLED


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({}, Reason.MALFORMED),
        ({"price_ticks": -1, "quantity_lots": 5}, Reason.MALFORMED),
        ({"price_ticks": 5, "quantity_lots": -1}, Reason.MALFORMED),
        ({"price_ticks": 10_001}, Reason.ABOVE_MAXIMUM),
        ({"price_ticks": 2**63 - 1, "quantity_lots": 2**63 - 1}, Reason.ABOVE_MAXIMUM),
        ({"quantity_lots": 1_001}, Reason.ABOVE_MAXIMUM),
        ({"quantity_lots": 4}, Reason.QUANTITY_BELOW_FILLED),
        ({"quantity_lots": 5, "price_ticks": 99}, Reason.BELOW_MINIMUM_NOTIONAL),
        ({"price_ticks": 90}, Reason.WOULD_CROSS),
        ({"price_ticks": 90, "quantity_lots": 9}, Reason.WOULD_CROSS),
    ],
)
def test_an_amend_is_refused_and_changes_nothing(
    quoted: Desk, fields: Fields, reason: Reason
) -> None:
    quoted.sell(2, 10, 150, flags=Flag.POST_ONLY)
    quoted.buy(3, 4, 150, user_id=3)
    quoted.buy(4, 10, 95, user_id=3)
    before = quoted.queue(Side.SELL)
    assert refusal(quoted.amend(2, **fields)) == reason
    assert quoted.queue(Side.SELL) == before


def test_a_halted_market_takes_cancels_only_and_resumes(quoted: Desk) -> None:
    halted = quoted.send(CommandKind.HALT)[-1]
    assert (halted["kind"], halted["status"]) == (EventKind.MARKET, 2)
    assert quoted.book.halted
    assert outcome(quoted.send(CommandKind.PLACE, **GOOD)[-1])[1] == Reason.HALTED
    assert refusal(quoted.amend(1, user_id=2, quantity_lots=9)) == Reason.HALTED
    assert refusal(quoted.amend(99, quantity_lots=9)) == Reason.HALTED
    assert outcome(quoted.cancel(1, user_id=2))[0] == OrderStatus.CANCELLED
    resumed = quoted.send(CommandKind.RESUME)[-1]
    assert (resumed["kind"], resumed["status"]) == (EventKind.MARKET, 1)
    assert not quoted.book.halted
    assert outcome(quoted.send(CommandKind.PLACE, **GOOD)[-1])[0] == OrderStatus.OPEN


@pytest.mark.parametrize("kind", [CommandKind.MALFORMED, 8, 200, 255])
def test_what_is_no_command_is_refused_with_its_ids(quoted: Desk, kind: int) -> None:
    event = quoted.send(kind, order_id=44, user_id=5)[-1]
    assert refusal(event) == Reason.MALFORMED
    assert (event["order_id"], event["user_id"]) == (44, 5)


def test_a_rejected_image_repeats_the_client_order_id(quoted: Desk) -> None:
    event = quoted.send(CommandKind.PLACE, **GOOD | {"side": 9, "client_order_id": "mine"})[-1]
    assert list(event["client_order_id"]) == encode_client_order_id("mine").tolist()
    assert event["side"] == 9
