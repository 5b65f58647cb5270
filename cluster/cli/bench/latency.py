"""`forkast bench latency`: the way of a single order, stage by stage, at several rates."""

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from cluster.cli.bench.given import AsJson, Data, console, given_platform, markets_of, print_json
from cluster.embedded.process import free_port
from cluster.tools.bench.latency.measure import RATES, Measured, Rate, measure_latency
from cluster.tools.bench.latency.picture import waterfall_svg


def latency(
    rate: Annotated[
        list[float] | None,
        typer.Option(min=1, help="Orders a second; may be repeated. 10, 100, 300 and 1,000."),
    ] = None,
    seconds: Annotated[float, typer.Option(min=1, help="How long each rate is held.")] = 10.0,
    idle_seconds: Annotated[
        float, typer.Option(min=1, help="How long the idle platform is watched first.")
    ] = 10.0,
    pairs: Annotated[int, typer.Option(min=1, help="How many markets get orders.")] = 10,
    seed: Annotated[int, typer.Option(help="Of the orders drawn.")] = 1,
    trace: Annotated[
        bool, typer.Option(help="Let the platform that is started stamp what passes.")
    ] = True,
    data: Data = None,
    sketch: Annotated[
        bool, typer.Option(help="Hold the same rates against a sketch of the same hops as well.")
    ] = False,
    svg: Annotated[
        Path | None, typer.Option(help="Draw the waterfall into this file as well.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Measure the way of single orders as a waterfall: time and processor of each stage."""
    with given_platform(data, environment=_traced() if trace else None) as state:
        topology = markets_of(state, pairs=pairs)
        found = measure_latency(
            state,
            topology,
            rates=rate or RATES,
            seconds=seconds,
            idle_seconds=idle_seconds,
            pairs=pairs,
            seed=seed,
            sketch=sketch,
            tell=console.print,
        )
    if svg is not None:
        svg.write_text(waterfall_svg(found.rates))
    if as_json:
        print_json(found)
    else:
        _print(found)


def _traced() -> dict[str, str]:
    """Return what lets a platform send its stamps to this process."""
    return {"FORKAST_TRACE": f"127.0.0.1:{free_port()}"}


def _print(found: Measured) -> None:
    out = Console(highlight=False)
    for one in found.rates:
        out.print(_waterfall(one))
        out.print(_sentence(one), style="dim", soft_wrap=True)
    if found.sketch:
        out.print(_beside(found))
    out.print(f"in peace, taken off: {found.idle_cores:.2f} of a core")


def _waterfall(one: Rate) -> Table:
    table = Table(
        "stage", "from", "p50 ms", "p99 ms", "time", "cpu ms", "cpu",
        title=f"\n{one.orders_per_second:g} orders a second", title_justify="left", box=None,
    )  # fmt: skip
    for column in table.columns[1:]:
        column.justify = "right"
    for stage in one.stages:
        table.add_row(
            stage.stage,
            f"{stage.start_ms:,.1f}",
            f"{stage.p50_ms:,.1f}",
            f"{stage.p99_ms:,.1f}",
            f"{stage.share:.0%}" if stage.share else "",
            f"{stage.cpu_ms:,.2f}",
            f"{stage.cpu_share:.0%}",
        )
    table.add_row(
        "event at the client", "", f"{one.event_ms['p50']:,.1f}", f"{one.event_ms['p99']:,.1f}",
        "", f"{one.cpu_ms_per_order:,.2f}", "", style="bold",
    )  # fmt: skip
    return table


def _beside(found: Measured) -> Table:
    table = Table(
        "orders a second", "p50 ms", "sketch", "ratio", "p99 ms", "sketch", "ratio", "cpu ms",
        "sketch", "ratio", title="\nbeside the sketch of the same hops", title_justify="left",
        box=None,
    )  # fmt: skip
    for column in table.columns:
        column.justify = "right"
    for ours, theirs in zip(found.rates, found.sketch, strict=True):
        cells = []
        for mine, least in (
            (ours.event_ms["p50"], theirs.event_ms["p50"]),
            (ours.event_ms["p99"], theirs.event_ms["p99"]),
            (ours.cpu_ms_per_order, theirs.cpu_ms_per_order),
        ):
            ratio = f"{mine / least:,.1f}" if least > 0 else ""
            cells += [f"{mine:,.1f}", f"{least:,.1f}", ratio]
        table.add_row(f"{ours.orders_per_second:g}", *cells)
    return table


def _sentence(one: Rate) -> str:
    told = f"{one.orders:,} orders, {one.orders_per_second_reached:,.0f}/s"
    if one.refused:
        told += f", {one.refused:,} refused"
    if one.unseen:
        told += f", {one.unseen:,} without an event"
    answer, late = one.answer_ms, one.late_ms
    return (
        f"{told}; answered after {answer['p50']:,.1f} / {answer['p99']:,.1f} ms, "
        f"sent {late['p50']:,.1f} / {late['p99']:,.1f} ms late (p50 / p99)"
    )
