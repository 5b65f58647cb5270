"""`forkast bench pipeline`: load from the client's side to the committed row, shape by shape."""

from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from cluster.cli.bench.given import AsJson, Data, console, given_platform, markets_of, print_json
from cluster.errors import ClusterError
from cluster.tools.bench.pipeline.measure import SHAPES, Result, measure


def pipeline(
    seconds: Annotated[float, typer.Option(min=1, help="How long each shape is held.")] = 60.0,
    mode: Annotated[
        list[str] | None, typer.Option(help=f"One of {', '.join(SHAPES)}; may be repeated.")
    ] = None,
    pairs: Annotated[int, typer.Option(min=1, help="How many markets get load.")] = 10,
    seed: Annotated[int, typer.Option(help="Of the orders drawn.")] = 1,
    data: Data = None,
    as_json: AsJson = False,
) -> None:
    """Measure orders from the client through Kafka, router, actors and Kafka to Postgres."""
    wanted = mode or list(SHAPES)
    if unknown := [name for name in wanted if name not in SHAPES]:
        raise ClusterError(f"{unknown[0]!r} is none of {', '.join(SHAPES)}")
    with given_platform(data) as state:
        topology = markets_of(state, pairs=pairs)
        results = [
            measure(
                name,
                state,
                topology,
                pairs=pairs,
                seed=seed,
                seconds=seconds,
                tell=console.print,
            )
            for name in wanted
        ]
    if as_json:
        print_json(results)
    else:
        _print(results)


def _print(results: list[Result]) -> None:
    out = Console()
    table = Table(
        "mode", "orders/s", "trades/s", "rows/s", "trade event ms", "committed row ms", "answer ms",
        caption="milliseconds: p50 / p95 / p99",
    )  # fmt: skip
    for one in results:
        table.add_row(
            one.mode,
            f"{one.orders_per_second:,.0f}",
            f"{one.trades_per_second:,.0f}",
            f"{one.rows_per_second:,.0f}",
            _slashed(one.trade_event_ms),
            _slashed(one.committed_ms),
            _slashed(one.answer_ms),
        )
    out.print(table)
    for one in results:
        shares = ", ".join(f"{kind} {share:.2f}" for kind, share in one.cpu.items())
        out.print(f"{one.mode}: cores used: {shares}", highlight=False)


def _slashed(percentiles: dict[str, float]) -> str:
    return " / ".join(f"{value:,.1f}" for value in percentiles.values())
