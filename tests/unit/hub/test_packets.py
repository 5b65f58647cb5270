"""Requests of decoded JSON: as strict, and as exact, as those decoded from its text."""

from decimal import Decimal
from typing import Any

import pytest

from api.exchange.decimals import UNITS
from api.exchange.refusals import InvalidError
from api.hub.packets import ExactJson
from api.json.requests import PLACE, PlaceOrder, convert, decode

HUGE = "1e" + "9" * 20
ORDER = '{"tradingPair":"A-B","type":"BUY","userId":%s,"price":%s,"expiresAt":%s}'


def decoded(text: str) -> PlaceOrder | None:
    try:
        return decode(PLACE, text.encode())
    except InvalidError:
        return None


def converted(text: str) -> PlaceOrder | None:
    try:
        return convert(PlaceOrder, ExactJson.loads(text))
    except (InvalidError, ValueError):
        return None


@pytest.mark.parametrize(
    "values",
    [
        *((user, "1", "null") for user in ("1", '"1"', "1.0", "1e0", "true", "null", "9" * 30)),
        *(("1", price, "1") for price in ("1", "-0", "0.10", "1e400", '"1.50"', '"NaN"', "9" * 30)),
        *(("1", price, "1") for price in ("true", "[1]", "{}", '"x"', "null", HUGE, f'"{HUGE}"')),
        *(("1", "1", expiry) for expiry in ("1.5", '"2030-01-01T00:00:00Z"', "false")),
    ],
)
def test_a_request_is_taken_where_its_json_is(values: tuple[str, str, str]) -> None:
    assert repr(converted(ORDER % values)) == repr(decoded(ORDER % values))


@pytest.mark.parametrize("price", ["0.1", "1e2", "3", '"0.10"'])
def test_a_price_is_exact_and_never_a_float(price: str) -> None:
    request = converted(ORDER % ("1", price, "null"))
    assert request is not None
    assert request.price is not None
    assert request.price.units("price") == Decimal(price.strip('"')) * UNITS


@pytest.mark.parametrize("data", [None, "x", 7, [], {}, True, Decimal(1)])
def test_what_is_no_order_is_refused(data: Any) -> None:
    with pytest.raises(InvalidError):
        convert(PlaceOrder, data)
