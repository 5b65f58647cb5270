"""Indicators over candles, as polars expressions: exact inputs, floats out.

Each takes a column of prices (or the columns of a candle) in order of time and answers an
expression of the same length; windows that are not full yet are null.
"""

import polars as pl


def simple_moving_average(price: str = "close", *, length: int) -> pl.Expr:
    """Return the mean of the last `length` prices.

    Source: Murphy, Technical Analysis of the Financial Markets (1999), chapter 9.
    """
    return _float(price).rolling_mean(_at_least_one(length))


def exponential_moving_average(price: str = "close", *, length: int) -> pl.Expr:
    """Return the mean with weights that fall by the factor 1 - 2 / (length + 1).

    It starts from the first price. Source: Murphy (1999), chapter 9; the smoothing constant
    2 / (N + 1) is Hunter's, The Exponentially Weighted Moving Average (1986).
    """
    return _float(price).ewm_mean(span=_at_least_one(length), adjust=False)


def volume_weighted_average_price(
    price: str = "close", volume: str = "volume", *, length: int
) -> pl.Expr:
    """Return the mean of the last `length` prices, weighted by their volumes.

    Null where nothing was traded in the window. Source: Berkowitz, Logue and Noser, The Total
    Cost of Transactions on the NYSE, Journal of Finance 43 (1988).
    """
    _at_least_one(length)
    traded = (_float(price) * _float(volume)).rolling_sum(length)
    volumes = _float(volume).rolling_sum(length)
    return pl.when(volumes > 0).then(traded / volumes)


def bollinger_bands(
    price: str = "close", *, length: int = 20, deviations: float = 2.0
) -> tuple[pl.Expr, pl.Expr, pl.Expr]:
    """Return the lower band, the middle and the upper band.

    The middle is the simple mean, the bands lie `deviations` standard deviations of the whole
    window (divisor N) away. Source: Bollinger, Bollinger on Bollinger Bands (2001), chapter 7.
    """
    middle = simple_moving_average(price, length=length)
    width = _float(price).rolling_std(length, ddof=0) * deviations
    return middle - width, middle, middle + width


def relative_strength_index(price: str = "close", *, length: int = 14) -> pl.Expr:
    """Return 100 x the share of the rises in all movement, each smoothed over `length`.

    Smoothed as 1 / length of the new and the rest of the old; null where nothing has moved.
    Source: Wilder, New Concepts in Technical Trading Systems (1978), section VI, with the first
    change instead of the mean of the first `length` as the start of the smoothing.
    """
    change = _float(price).diff()
    rises = change.clip(lower_bound=0.0)
    falls = (-change).clip(lower_bound=0.0)
    weight = 1.0 / _at_least_one(length)
    up = rises.ewm_mean(alpha=weight, adjust=False, min_samples=length)
    down = falls.ewm_mean(alpha=weight, adjust=False, min_samples=length)
    return pl.when(up + down > 0).then(100.0 * up / (up + down))


def _float(column: str) -> pl.Expr:
    return pl.col(column).cast(pl.Float64)


def _at_least_one(length: int) -> int:
    if length < 1:
        raise ValueError("length must be at least 1")
    return length
