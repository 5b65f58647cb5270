"""`forkast replay`: play a capture into a running platform and compare the trades."""

import asyncio
import sys
from pathlib import Path
from typing import Annotated

import msgspec
import typer
from rich.console import Console
from rich.table import Table

from cluster.cli.options import DATA_DEFAULT, DataOption
from cluster.data.state import running_state
from cluster.errors import ClusterError
from cluster.markets import topology_of
from cluster.tools.replay.comparison import Comparison
from cluster.tools.replay.player import MAX_SPEED
from cluster.tools.replay.sample import sample
from cluster.tools.replay.session import Request, replay_once

_console = Console(stderr=True)
_SHOWN_DIFFERENCES = 20


def replay(
    file: Annotated[
        Path | None, typer.Argument(help="Order events (CSV, may be gzipped); the sample if none.")
    ] = None,
    trades: Annotated[
        Path | None, typer.Option(help="The exchange's own trades, to compare with.")
    ] = None,
    speed: Annotated[str, typer.Option(help="real, max, or a factor such as 10.")] = "max",
    pair: Annotated[str, typer.Option(help="The market to play into; its book must be empty.")] = (
        "BTC-USD"
    ),
    data: DataOption = DATA_DEFAULT,
    clear: Annotated[bool, typer.Option("--clear", help="Cancel all open orders first.")] = False,
    json: Annotated[bool, typer.Option("--json", help="Print the comparison as JSON.")] = False,
) -> None:
    """Play a captured order flow into a running platform and compare the trades."""
    state = running_state(data)
    topology = topology_of(state.markets_file)
    if pair not in topology:
        raise ClusterError(f"there is no market {pair} here")
    if file is None:
        files = sample()
        file, trades = files.orders, trades or files.trades
    request = Request(
        state=state,
        topology=topology,
        market=topology.market(pair),
        events_file=file,
        trades_file=trades,
        speed=_factor(speed),
        clear=clear,
    )
    comparison = asyncio.run(replay_once(request, _console))
    if json:
        sys.stdout.write(msgspec.json.encode(comparison).decode() + "\n")
    else:
        _print(comparison)


def _factor(speed: str) -> float:
    if speed == "max":
        return MAX_SPEED
    try:
        factor = 1.0 if speed == "real" else float(speed)
    except ValueError:
        factor = -1.0
    if not 0 < factor < 1e6:
        raise ClusterError(f"speed {speed!r} is neither real, max nor a factor above zero")
    return factor


def _print(comparison: Comparison) -> None:
    out = Console()
    out.print(
        f"{comparison.agreeing} of the exchange's {comparison.exchange_trades} trades agree in "
        f"maker, taker, price and amount; the platform made {comparison.platform_trades}"
        + (", all in the same order." if comparison.in_order else "."),
        highlight=False,
    )
    if not comparison.differences:
        return
    table = Table("only", "maker", "taker", "price (ticks)", "amount (lots)")
    for one in comparison.differences[:_SHOWN_DIFFERENCES]:
        table.add_row(
            one.only,
            str(one.maker_order_id),
            str(one.taker_order_id),
            str(one.price_ticks),
            str(one.quantity_lots),
        )
    out.print(table)
    hidden = len(comparison.differences) - _SHOWN_DIFFERENCES
    if hidden > 0:
        out.print(f"and {hidden} more differences", highlight=False)
