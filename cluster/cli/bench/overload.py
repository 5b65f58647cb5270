"""`forkast bench overload`: what a platform does with twice and ten times what it can take."""

from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from cluster.cli.bench.given import AsJson, Data, console, given_platform, markets_of, print_json
from cluster.tools.bench.load.overload import (
    EVENT_P99_MS_MAX,
    FACTORS,
    REST_S,
    Overloads,
    measure_overload,
)


def overload(
    rate: Annotated[
        float, typer.Option(min=0, help="The sustainable orders a second; 0 to find them.")
    ] = 0.0,
    factor: Annotated[
        list[float] | None,
        typer.Option(min=1, help="How many times as much; may be repeated. 2 and 10."),
    ] = None,
    seconds: Annotated[float, typer.Option(min=1, help="How long each load is held.")] = 10.0,
    connections: Annotated[int, typer.Option(min=1, help="The clients' connections.")] = 512,
    pairs: Annotated[int, typer.Option(min=1, help="How many markets get orders.")] = 10,
    seed: Annotated[int, typer.Option(help="Of the orders drawn.")] = 1,
    data: Data = None,
    as_json: AsJson = False,
) -> None:
    """Overload the platform: how long accepted orders take, what is refused, and the time after.

    An order for which no connection is free is not sent, and counted: that wait is the client's.
    """
    with given_platform(data) as state:
        topology = markets_of(state, pairs=pairs)
        found = measure_overload(
            state,
            topology,
            sustainable_per_second=rate,
            factors=factor or FACTORS,
            seconds=seconds,
            connections=connections,
            pairs=pairs,
            seed=seed,
            tell=console.print,
        )
    if as_json:
        print_json(found)
    else:
        _print(found)


def _print(found: Overloads) -> None:
    out = Console(highlight=False)
    table = Table(
        "load", "sent /s", "accepted /s", "refused", "event ms", "answer ms", "refusal ms",
        f"event ms {REST_S:g} s later", "as it should be", box=None,
        caption="milliseconds: p50 / p95 / p99", caption_justify="left",
    )  # fmt: skip
    table.add_row("a tenth", "", "", "", _slashed(found.before_ms))
    for one in found.overloads:
        table.add_row(
            f"{one.factor:g} times",
            f"{one.sent_per_second:,.0f}",
            f"{one.accepted_per_second:,.0f}",
            f"{one.refused_share:.0%}",
            _slashed(one.event_ms),
            _slashed(one.answer_ms),
            _slashed(one.refusal_ms),
            _slashed(one.after_ms),
            "yes" if one.ok else "no",
        )
    out.print(f"sustainable: {found.sustainable_per_second:,.0f} orders a second")
    out.print(table)
    for one in found.overloads:
        told = [f"{count:,} {code}" for code, count in one.refusals.items()]
        told += [f"{count:,} answered {status}" for status, count in one.failures.items()]
        for count, what in (
            (one.unsent, "not sent, as no connection was free"),
            (one.silent_refusals, "503 without Retry-After"),
            (one.unheard, "accepted and not heard of"),
        ):
            told += [f"{count:,} {what}"] if count else []
        out.print(f"{one.factor:g} times: {', '.join(told)}; all heard {one.behind_s:g} s after")
    out.print(f"aim: accepted orders' p99 under {EVENT_P99_MS_MAX:g} ms to the event")


def _slashed(percentiles: dict[str, float]) -> str:
    return " / ".join(f"{value:,.0f}" for value in percentiles.values())
