"""Indicators over candles: whole ticks and lots in, one value or None a candle out.

Each takes the closes (or closes and volumes) of windows that follow each other, oldest first, and
answers a list of the same length. The value at a candle depends on that candle and on a bounded
number of candles before it (`Study.lookback`) and on nothing else: a list that begins earlier
gives the same bits. Where there are fewer, the list has to begin with the market's first candle.
Sums are of whole numbers and exact; a smoothing adds its terms in an order that depends on nothing
but their age.
"""

from collections.abc import Sequence
from itertools import accumulate, pairwise
from math import sqrt

import numpy as np
import numpy.typing as npt

# What came before so many lengths has lost all but e^-24 (less than 4e-11) of its weight:
# (1 - 2 / (N + 1))^N is less than e^-2, and (1 - 1 / N)^N less than e^-1.
EMA_LENGTHS = 12
RSI_LENGTHS = 24

Values = list[float | None]
_Floats = npt.NDArray[np.float64]


def simple_moving_average(prices: Sequence[int], *, length: int) -> Values:
    """Return the mean of the last `length` prices, from the candle number `length` on.

    Source: Murphy, Technical Analysis of the Financial Markets (1999), chapter 9.
    """
    return [None if total is None else total / length for total in _sums(prices, length)]


def exponential_moving_average(prices: Sequence[int], *, length: int) -> Values:
    """Return the mean with weights that fall by the factor 1 - 2 / (length + 1).

    It begins, with candle number `length`, at the mean of the first `length` prices, as TA-Lib's
    EMA does by default. Each value is smoothed over `EMA_LENGTHS` lengths and begins at the mean
    of the `length` prices before them, which makes a difference of less than 4e-11 of the range of
    all earlier prices. Source: Murphy (1999), chapter 9; the constant 2 / (N + 1) is Hunter's, The
    Exponentially Weighted Moving Average (1986).
    """
    means = np.array([mean or 0.0 for mean in simple_moving_average(prices, length=length)])
    inputs = np.array(prices, np.float64) * (2 / (length + 1))
    smoothed = _smoothed(
        inputs,
        means,
        first=length - 1,
        kept=(length - 1) / (length + 1),
        steps=EMA_LENGTHS * length,
    )
    begun: Values = smoothed[length - 1 :].tolist()
    return [None] * min(length - 1, len(prices)) + begun


def volume_weighted_average_price(
    prices: Sequence[int], volumes: Sequence[int], *, length: int
) -> Values:
    """Return the mean of the last `length` prices, weighted by their volumes.

    It begins with candle number `length`; None where nothing was traded in the window. Source:
    Berkowitz, Logue and Noser, The Total Cost of Transactions on the NYSE, Journal of Finance 43
    (1988).
    """
    paid = [price * volume for price, volume in zip(prices, volumes, strict=True)]
    return [
        total / volume if total is not None and volume else None
        for total, volume in zip(_sums(paid, length), _sums(volumes, length), strict=True)
    ]


def bollinger_bands(
    prices: Sequence[int], *, length: int = 20, deviations: float = 2.0
) -> tuple[Values, Values, Values]:
    """Return the lower band, the middle and the upper band, from candle number `length` on.

    The middle is the simple mean, the bands lie `deviations` standard deviations of the whole
    window (divisor N) away. Source: Bollinger, Bollinger on Bollinger Bands (2001), chapter 7.
    """
    middle = simple_moving_average(prices, length=length)
    widths = [
        None
        if total is None or squares is None
        else deviations * sqrt(length * squares - total * total) / length
        for total, squares in zip(
            _sums(prices, length), _sums([price * price for price in prices], length), strict=True
        )
    ]
    both = list(zip(middle, widths, strict=True))
    lower = [None if mean is None or width is None else mean - width for mean, width in both]
    upper = [None if mean is None or width is None else mean + width for mean, width in both]
    return lower, middle, upper


def relative_strength_index(prices: Sequence[int], *, length: int = 14) -> Values:
    """Return 100 x the share of the rises in all movement, each smoothed over `length`.

    It begins, with candle number `length` + 1, at the mean of the first `length` changes; from
    there on a change weighs 1 / length and what was before the rest. A change of 0 leaves the
    value as it is. So it is worked out where the price has moved, over `RSI_LENGTHS` lengths of
    changes and the mean of the `length` changes before them, and stays until the next move; what
    is left out weighs less than 4e-11. None where the price has not moved for `RSI_LENGTHS`
    lengths. Source: Wilder, New Concepts in Technical Trading Systems (1978), section VI.
    """
    changes = [after - before for before, after in pairwise(prices)]
    rises, falls = (
        _smoothed(
            np.array(moves, np.float64) / length,
            np.array([(total or 0) / length for total in _sums(moves, length)]),
            first=length - 1,
            kept=(length - 1) / length,
            steps=RSI_LENGTHS * length,
        ).tolist()
        for moves in ([max(0, one) for one in changes], [max(0, -one) for one in changes])
    )
    found: Values = [None] * min(length, len(prices))
    value, still = None, 0
    for at in range(length - 1, len(changes)):
        if changes[at] != 0 or at == length - 1:
            moved = rises[at] + falls[at]
            value, still = (100 * rises[at] / moved if moved > 0 else None), 0
        else:
            still += 1
        found.append(value if still <= RSI_LENGTHS * length else None)
    return found


def _sums(values: Sequence[int], length: int) -> list[int | None]:
    """Return the exact sums of the last `length` values, None until there are so many."""
    if length < 1:
        raise ValueError("length must be at least 1")
    totals = list(accumulate(values, initial=0))
    filled = [last - first for first, last in zip(totals, totals[length:], strict=False)]
    return [None] * min(length - 1, len(values)) + filled


def _smoothed(inputs: _Floats, means: _Floats, *, first: int, kept: float, steps: int) -> _Floats:
    """Return what begins at a mean and then, `steps` times, keeps a part and adds an input.

    The mean is the one of `steps` candles ago, or the `first` where there are fewer. The sum of
    the aged inputs is doubled in length, so that each value is the same tree of additions
    wherever in the list it stands.
    """
    terms = inputs.copy()
    terms[:first] = 0.0
    terms[first : first + 1] = means[first : first + 1]
    begun = means.copy()
    begun[:first] = 0.0
    smoothed, part, width = begun, terms, 1
    while True:
        if steps & width:
            smoothed = part + kept * _older(smoothed, width)
        if 2 * width > steps:
            return smoothed
        part = part + kept * _older(part, width)
        kept, width = kept * kept, 2 * width


def _older(values: _Floats, steps: int) -> _Floats:
    """Return the values of so many candles ago, 0 where there are none."""
    shifted = np.zeros_like(values)
    shifted[steps:] = values[: max(0, len(values) - steps)]
    return shifted
