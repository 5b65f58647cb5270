"""Numbers as JSON writes them, exact, as numbers or as text of the same grammar.

Source: RFC 8259, section 6. Python's own parsers take more: underscores, blanks, other scripts.
"""

import re
from decimal import Decimal, InvalidOperation
from typing import Any

from api.exchange.decimals import DECIMALS, to_units

_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?", re.ASCII)
# The usual way to write an amount: its units can be read off.
_PLAIN = re.compile(r"(0|[1-9][0-9]{0,18})(?:\.([0-9]{1,8}))?", re.ASCII)
_WHOLE = re.compile(r"0|[1-9][0-9]{0,18}", re.ASCII)
_ZERO = Decimal(0)
_NO_PART = "0" * DECIMALS


class Number:
    """A number that came in JSON, exact: in units where they can be read off, else as decimal."""

    __slots__ = ("_plain_units", "_value")

    def __init__(self, plain_units: int, value: Decimal) -> None:
        self._plain_units = plain_units
        self._value = value

    def __repr__(self) -> str:
        value = f"{self._plain_units}e-{DECIMALS}" if self._plain_units else self._value
        return f"Number({value})"

    def units(self, field: str) -> int:
        """Return it in units of 1e-8; raises Refusal as `to_units` does."""
        return self._plain_units or to_units(self._value, field)


def exact(text: str) -> Decimal:
    """Return a number of JSON as it was written: what decoders are given as `float_hook`.

    Raises ValueError where the exponent is beyond what a Decimal holds.
    """
    try:
        return Decimal(text)
    except InvalidOperation:
        raise ValueError("Expected a number with a smaller exponent") from None


def number_hook(kind: type, value: Any) -> Any:
    """Make what msgspec does not know by itself; decoders read decimals by `float_hook=exact`.

    Raises ValueError and TypeError, which msgspec turns into its ValidationError.
    """
    if kind is not Number:
        raise NotImplementedError(f"there is no way to read {kind.__name__}")
    if isinstance(value, str):
        plain = _PLAIN.fullmatch(value)
        if plain is not None:
            whole, part = plain.groups()
            return Number(
                int(whole + part.ljust(DECIMALS, "0") if part else whole + _NO_PART), _ZERO
            )
        if not _NUMBER.fullmatch(value):
            raise ValueError("Expected a number")
        return Number(0, exact(value))
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        raise TypeError(f"Expected a number, got `{type(value).__name__}`")
    return Number(0, Decimal(value))


def number_schema(kind: type) -> dict[str, Any]:
    """Return the JSON schema of what `number_hook` makes."""
    if kind is not Number:
        raise NotImplementedError(f"there is no schema of {kind.__name__}")
    return {"anyOf": [{"type": "number"}, {"type": "string"}]}


def whole_number(text: str) -> int | None:
    """Return a whole number of at most 19 digits, None where the text is none."""
    return int(text) if _WHOLE.fullmatch(text) else None
