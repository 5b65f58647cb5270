"""Indicators drawn over candles: names in, lists of values out."""

import polars as pl

from actors.platform.messages import Candle
from analytics.frames import from_candles
from analytics.indicators import (
    bollinger_bands,
    exponential_moving_average,
    relative_strength_index,
    simple_moving_average,
    volume_weighted_average_price,
)
from analytics.messages import IndicatorSeries
from analytics.studies import Kind, Study

_PRICE, _VOLUME = "close_ticks", "volume_lots"


def compute(candles: list[Candle], studies: list[Study], *, limit: int) -> IndicatorSeries:
    """Return the indicators at the newest `limit` candles; those before them only lead up."""
    prices: dict[str, pl.Expr] = {}
    numbers: dict[str, pl.Expr] = {}
    for study in studies:
        (numbers if study.kind is Kind.RSI else prices).update(_expressions(study))
    every = [expression.alias(name) for name, expression in (prices | numbers).items()]
    frame = from_candles(candles).select("open_time_s", *every).tail(limit)
    return IndicatorSeries(
        times_s=frame["open_time_s"].to_list(),
        prices={name: frame[name].to_list() for name in prices},
        numbers={name: frame[name].to_list() for name in numbers},
    )


def _expressions(study: Study) -> dict[str, pl.Expr]:
    name, length = study.name, study.length
    match study.kind:
        case Kind.SMA:
            return {name: simple_moving_average(_PRICE, length=length)}
        case Kind.EMA:
            return {name: exponential_moving_average(_PRICE, length=length)}
        case Kind.VWAP:
            return {name: volume_weighted_average_price(_PRICE, _VOLUME, length=length)}
        case Kind.RSI:
            return {name: relative_strength_index(_PRICE, length=length)}
        case Kind.BOLLINGER:
            bands = bollinger_bands(_PRICE, length=length)
            parts = ("Lower", "Middle", "Upper")
            return {f"{name}{part}": band for part, band in zip(parts, bands, strict=True)}
