"""Indicators drawn over candles: names in, lists of values out."""

from actors.platform.messages import Candle
from analytics.indicators import (
    Values,
    bollinger_bands,
    exponential_moving_average,
    relative_strength_index,
    simple_moving_average,
    volume_weighted_average_price,
)
from analytics.messages import IndicatorSeries
from analytics.studies import Kind, Study


def compute(candles: list[Candle], studies: list[Study], *, limit: int) -> IndicatorSeries:
    """Return the indicators at the newest `limit` candles; those before them only lead up.

    Before those there have to be as many candles as the longest lookback, or all that there are.
    """
    prices: dict[str, Values] = {}
    numbers: dict[str, Values] = {}
    for study in studies:
        (numbers if study.kind is Kind.RSI else prices).update(_lines(candles, study))
    return IndicatorSeries(
        times_s=[candle.open_time_s for candle in candles[-limit:]],
        prices={name: values[-limit:] for name, values in prices.items()},
        numbers={name: values[-limit:] for name, values in numbers.items()},
    )


def _lines(candles: list[Candle], study: Study) -> dict[str, Values]:
    name, length = study.name, study.length
    closes = [candle.close_ticks for candle in candles]
    match study.kind:
        case Kind.SMA:
            return {name: simple_moving_average(closes, length=length)}
        case Kind.EMA:
            return {name: exponential_moving_average(closes, length=length)}
        case Kind.VWAP:
            volumes = [candle.volume_lots for candle in candles]
            return {name: volume_weighted_average_price(closes, volumes, length=length)}
        case Kind.RSI:
            return {name: relative_strength_index(closes, length=length)}
        case Kind.BOLLINGER:
            bands = bollinger_bands(closes, length=length)
            parts = ("Lower", "Middle", "Upper")
            return {f"{name}{part}": band for part, band in zip(parts, bands, strict=True)}
