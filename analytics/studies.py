"""Indicators by name: what a chart asks for, as `sma20`, `bollinger` or `rsi14`."""

import re
from dataclasses import dataclass
from enum import StrEnum

from analytics.indicators import EMA_LENGTHS, RSI_LENGTHS

LENGTH_MAX = 200

_NAME = re.compile(r"([a-z]{1,12})([0-9]{1,3})?", re.ASCII)
_RSI_LENGTH = 14
_LENGTH = 20


class UnknownIndicatorError(ValueError):
    """Refuse a name that no indicator has, or a length out of bounds."""


class Kind(StrEnum):
    """The indicators that there are; the functions of `analytics.indicators` compute them."""

    SMA = "sma"
    EMA = "ema"
    VWAP = "vwap"
    BOLLINGER = "bollinger"
    RSI = "rsi"


@dataclass(frozen=True, slots=True)
class Study:
    """One indicator with its length, in candles."""

    kind: Kind
    length: int

    @property
    def name(self) -> str:
        """Return the name in full, with the length."""
        return f"{self.kind}{self.length}"

    @property
    def lookback(self) -> int:
        """Return how many candles before one its value depends on."""
        match self.kind:
            case Kind.EMA:
                return self.length - 1 + EMA_LENGTHS * self.length
            case Kind.RSI:
                # As many again for the move after which the price has stood still.
                return self.length + 2 * RSI_LENGTHS * self.length
            case _:
                return self.length - 1


def parse_study(name: str) -> Study:
    """Return the indicator of a name; without a length it has its usual one.

    Raises UnknownIndicatorError.
    """
    match = _NAME.fullmatch(name)
    if match is None or match[1] not in list(Kind):
        raise UnknownIndicatorError(
            f"there is no indicator {name!r}; there are {', '.join(Kind)}, each with a length"
        )
    kind = Kind(match[1])
    usual = _RSI_LENGTH if kind is Kind.RSI else _LENGTH
    length = int(match[2]) if match[2] else usual
    if not 1 <= length <= LENGTH_MAX:
        raise UnknownIndicatorError(f"the length of {name} must be between 1 and {LENGTH_MAX}")
    return Study(kind, length)
