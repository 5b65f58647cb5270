"""Numbers as JSON writes them, exact, as numbers or as text of the same grammar.

Source: RFC 8259, section 6. Python's own parsers take more: underscores, blanks, other scripts.
"""

import re
from decimal import Decimal, InvalidOperation
from typing import Any

_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?", re.ASCII)
_WHOLE = re.compile(r"0|[1-9][0-9]{0,18}", re.ASCII)


class Number(Decimal):
    """A decimal that came in JSON."""


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
        if not _NUMBER.fullmatch(value):
            raise ValueError("Expected a number")
        value = exact(value)
    elif isinstance(value, bool) or not isinstance(value, int | Decimal):
        raise TypeError(f"Expected a number, got `{type(value).__name__}`")
    return Number(value)


def number_schema(kind: type) -> dict[str, Any]:
    """Return the JSON schema of what `number_hook` makes."""
    if kind is not Number:
        raise NotImplementedError(f"there is no schema of {kind.__name__}")
    return {"anyOf": [{"type": "number"}, {"type": "string"}]}


def whole_number(text: str) -> int | None:
    """Return a whole number of at most 19 digits, None where the text is none."""
    return int(text) if _WHOLE.fullmatch(text) else None
