"""Numbers of JSON in units: the short way for plain ones says what the long way says."""

from decimal import Decimal

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.exchange.decimals import to_units
from api.exchange.refusals import Refusal
from api.json.numbers import Number, exact, number_hook

_DECODER = msgspec.json.Decoder(Number, dec_hook=number_hook, float_hook=exact)

texts = st.one_of(
    st.from_regex(r"(0|[1-9][0-9]{0,21})(\.[0-9]{1,10})?", fullmatch=True),
    st.from_regex(r"-?(0|[1-9][0-9]{0,4})(\.[0-9]{1,10})?([eE][+-]?[0-9]{1,3})?", fullmatch=True),
)


def _told(text: str) -> int | str:
    try:
        return _DECODER.decode(text).units("price")
    except Refusal as refused:
        return refused.code


@given(texts)
def test_a_number_and_its_text_are_the_units_of_their_decimal(text: str) -> None:
    try:
        right: int | str = to_units(Decimal(text), "price")
    except Refusal as refused:
        right = refused.code
    assert _told(text) == _told(f'"{text}"') == right


@pytest.mark.parametrize(
    "text",
    ["", "1.", ".5", "01", "+1", "1_0", " 1", "1 ", "1.5\n", "\u0661", "NaN", "Infinity", "1e"],
)
def test_a_text_without_the_grammar_of_a_number_is_none(text: str) -> None:
    with pytest.raises(msgspec.ValidationError, match="Expected a number"):
        _DECODER.decode(msgspec.json.encode(text))
