"""Comparison of the trades that the platform made of a flow with those of the exchange."""

from collections import Counter
from collections.abc import Sequence

import msgspec

from cluster.tools.replay.capture import ExchangeTrade


class Difference(msgspec.Struct, frozen=True):
    """One trade that only one side has; ids are the exchange's, price and amount its integers."""

    only: str
    maker_order_id: int
    taker_order_id: int
    price_ticks: int
    quantity_lots: int


class Comparison(msgspec.Struct, frozen=True, kw_only=True):
    """How many of the exchange's trades the platform made exactly, and which differ.

    A trade agrees when maker, taker, price and amount are the same; `in_order` says that all of
    both agree one after the other.
    """

    exchange_trades: int
    platform_trades: int
    agreeing: int
    in_order: bool
    differences: list[Difference]


def compare(exchange: Sequence[ExchangeTrade], platform: Sequence[ExchangeTrade]) -> Comparison:
    """Compare as multisets, then in sequence."""
    theirs, ours = Counter(exchange), Counter(platform)
    differences = [
        Difference(only, *trade)
        for only, extra in (("exchange", theirs - ours), ("platform", ours - theirs))
        for trade in extra.elements()
    ]
    return Comparison(
        exchange_trades=len(exchange),
        platform_trades=len(platform),
        agreeing=sum((theirs & ours).values()),
        in_order=list(exchange) == list(platform),
        differences=differences,
    )
