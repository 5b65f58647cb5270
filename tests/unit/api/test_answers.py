"""Answers to an order's placing and changing."""

import msgspec
import pytest

from actors.book.market import INT64_MAX
from actors.book.vocabulary import OrderStatus, OrderType, SelfTradePrevention, Side, TimeInForce
from api.exchange.decimals import MarketDecimals
from api.exchange.refusals import InvalidError, OutcomeUnknownError
from api.exchange.values import Changed, Order, Placed
from api.json.answers import CANCELLED, changed_view, placed_view
from api.json.views import order_view, timestamp
from api.rest.answers import BatchResults
from api.rest.routes.orders import batch_body
from tests.beds.commands import market

_DECIMALS = MarketDecimals(market())


def _order(status: OrderStatus = OrderStatus.OPEN, *, expires_us: int = 0) -> Order:
    return Order(
        order_id=5,
        client_order_id="",
        user_id=1,
        market_id=1,
        side=Side.BUY,
        order_type=OrderType.LIMIT,
        time_in_force=TimeInForce.GTC,
        flags=0,
        self_trade_prevention=SelfTradePrevention.NONE,
        status=status,
        price_ticks=10,
        quantity_lots=3,
        quote_units=0,
        filled_lots=0,
        notional=0,
        expires_us=expires_us,
        created_us=1,
        updated_us=1,
        sequence=7,
        reason=0,
        related_order_id=0,
    )


@pytest.mark.parametrize(
    ("placed", "told"),
    [
        (Placed(order_id=5), "Order accepted"),
        (Placed(order_id=5, awaited=True), "Order accepted; its outcome has not come yet"),
        (
            Placed(order_id=5, is_repeat=True),
            "This client order id was used before; this is the first order.",
        ),
    ],
)
def test_an_order_without_an_outcome_is_answered_by_its_id_and_a_sentence(
    placed: Placed, told: str
) -> None:
    answer = msgspec.to_builtins(placed_view(_DECIMALS, placed))
    assert answer == {"message": told, "orderId": "5"}


@pytest.mark.parametrize(
    ("status", "told"),
    [
        (OrderStatus.OPEN, "Order accepted"),
        (OrderStatus.REJECTED, "Order rejected by the book"),
    ],
)
def test_an_order_whose_outcome_has_come_is_shown_with_its_fills(
    status: OrderStatus, told: str
) -> None:
    answer = msgspec.to_builtins(placed_view(_DECIMALS, Placed(order_id=5, order=_order(status))))
    assert answer["message"] == told
    assert (answer["order"]["status"], answer["fills"]) == (status.name, [])


def test_a_change_shows_the_order_once_the_market_has_answered() -> None:
    late = changed_view(_DECIMALS, Changed(order_id=5), done=CANCELLED)
    assert msgspec.to_builtins(late) == {
        "message": "Logged; the market has not answered yet",
        "orderId": "5",
    }
    known = changed_view(_DECIMALS, Changed(order_id=5, order=_order()), done=CANCELLED)
    answer = msgspec.to_builtins(known)
    assert (answer["message"], answer["order"]["id"], answer["fills"]) == (CANCELLED, "5", [])


@pytest.mark.parametrize(
    ("expires_us", "shown"),
    [
        (253_402_300_799_999_999, "9999-12-31T23:59:59.999999Z"),
        (253_402_300_800_000_000, "9999-12-31T23:59:59.999999Z"),
        (INT64_MAX, "9999-12-31T23:59:59.999999Z"),
    ],
)
def test_an_expiry_that_no_calendar_has_is_shown_as_the_last_moment_of_year_9999(
    expires_us: int, shown: str
) -> None:
    assert order_view(_DECIMALS, _order(expires_us=expires_us)).expires_at == shown


def test_no_time_breaks_a_view() -> None:
    assert timestamp(0) == "1970-01-01T00:00:00.000000Z"
    assert timestamp(-(1 << 63)) == "0001-01-01T00:00:00.000000Z"


def test_a_batch_is_answered_as_its_schema_says() -> None:
    body = batch_body(
        [
            Placed(order_id=12),
            InvalidError("OFF_TICK", 'Not "a" multiple.'),
            Placed(order_id=13, is_repeat=True),
            OutcomeUnknownError("OUTCOME_UNKNOWN", "Ask again.", order_id=14),
        ]
    )
    results = msgspec.json.decode(body, type=BatchResults)
    assert msgspec.json.encode(results) == body
    assert [one.status_code for one in results.results] == [201, 400, 201, 504]
    assert [one.order_id for one in results.results] == ["12", msgspec.UNSET, "13", "14"]
