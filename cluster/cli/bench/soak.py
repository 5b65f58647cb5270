"""`forkast bench soak`: a steady load for minutes, the memory meanwhile, and whether it grows."""

from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from cluster.cli.bench.given import AsJson, Data, console, given_platform, markets_of, print_json
from cluster.tools.bench.load.flatness import MEGABYTE, SLOPE_MB_PER_MINUTE_MAX
from cluster.tools.bench.load.soak import SETTLE_MINUTES, Minute, Soak, measure_soak

_YET = {True: "yes", False: "no", None: "too short to tell"}


def soak(
    minutes: Annotated[float, typer.Option(min=0.05, help="How long the load is held.")] = 10.0,
    rate: Annotated[float, typer.Option(min=1, help="Orders a second.")] = 400.0,
    pairs: Annotated[int, typer.Option(min=1, help="How many markets get orders.")] = 10,
    seed: Annotated[int, typer.Option(help="Of the orders drawn.")] = 1,
    data: Data = None,
    as_json: AsJson = False,
) -> None:
    """Hold a steady load: each minute's memory (PSS) and latency, and whether they stay so.

    The slope of memory is that of the samples after the first five minutes.
    """
    with given_platform(data) as state:
        topology = markets_of(state, pairs=pairs)
        found = measure_soak(
            state,
            topology,
            orders_per_second=rate,
            minutes=minutes,
            pairs=pairs,
            seed=seed,
            tell=lambda minute: console.print(_sentence(minute)),
        )
    if as_json:
        print_json(found)
    else:
        _print(found)


def _sentence(one: Minute) -> str:
    told = f"minute {one.minute:g}: {one.memory_bytes['total'] / MEGABYTE:,.0f} MB (PSS)"
    if not one.event_ms:
        return told
    told += (
        f", {one.orders:,} orders, event {one.event_ms['p50']:,.1f} / {one.event_ms['p99']:,.1f} ms"
        " (p50 / p99)"
    )
    for count, what in (
        (one.refused, "refused"),
        (one.unsent, "not sent"),
        (one.failed, "failed"),
        (one.unheard, "without an event yet"),
    ):
        told += f", {count:,} {what}" if count else ""
    return told


def _print(found: Soak) -> None:
    out = Console(highlight=False)
    out.print(_latency(found), _memory(found))
    out.print(
        f"no kind's memory grows by more than {SLOPE_MB_PER_MINUTE_MAX:g} MB a minute after "
        f"{SETTLE_MINUTES:g} minutes: {_YET[found.memory_flat]}"
    )
    out.print(f"the last third as fast as the first: {_YET[found.p99_steady]}")


def _latency(found: Soak) -> Table:
    table = Table(
        "minute", "orders", "refused", "event p50 ms", "p99 ms", "all memory MB", box=None
    )
    for one in found.minutes:
        table.add_row(
            f"{one.minute:g}",
            f"{one.orders:,}",
            f"{one.refused:,}",
            f"{one.event_ms['p50']:,.1f}" if one.event_ms else "",
            f"{one.event_ms['p99']:,.1f}" if one.event_ms else "",
            f"{one.memory_bytes['total'] / MEGABYTE:,.0f}",
        )
    return table


def _memory(found: Soak) -> Table:
    """Return the memory of each kind at each minute."""
    minutes = [f"{one.minute:g}" for one in found.minutes]
    table = Table("MB (PSS) at minute", *minutes, "MB a minute", box=None)
    for one in found.growths:
        table.add_row(
            one.kind,
            *(f"{held.memory_bytes.get(one.kind, 0) / MEGABYTE:,.0f}" for held in found.minutes),
            "" if one.mb_per_minute is None else f"{one.mb_per_minute:+,.2f}",
        )
    return table
