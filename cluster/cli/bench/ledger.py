"""`forkast bench ledger`: holds and settlements a second, at several numbers of accounts."""

from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from cluster.cli.bench.given import AsJson, print_json
from cluster.tools.bench.ledger import ACCOUNTS, measure_ledgers


def ledger(
    seconds: Annotated[float, typer.Option(min=0.1, help="How long to measure, in all.")] = 30.0,
    accounts: Annotated[
        list[int] | None,
        typer.Option(min=1, help="Number of accounts; may be given more than once."),
    ] = None,
    seed: Annotated[int, typer.Option(help="Seed of the flow.")] = 1,
    as_json: AsJson = False,
) -> None:
    """Measure the ledger: holds and settlements a second of one core, in batches of 1,024.

    The flow is that of `bench book` with fees, users drawn evenly; the book's work is not counted.
    A hold is a place or an amend, a settlement each event's side for one user: a trade has two.
    Without --accounts 1,000, 100,000 and 1,000,000 are measured, and the naive ledger at 1,000.
    """
    with Console(stderr=True, quiet=as_json).status("a market's flow") as status:
        report = measure_ledgers(
            accounts=tuple(accounts or ACCOUNTS), seconds=seconds, seed=seed, tell=status.update
        )
    if as_json:
        print_json(report)
        return
    Console().print(_table(report))


def _table(report: dict[str, Any]) -> Table:
    table = Table(title="Holds and settlements, a second of one core's time")
    for heading in ("ledger", "accounts", "open", "both/s", "holds/s", "settled/s", "to naive"):
        table.add_column(heading, justify="left" if heading == "ledger" else "right")
    for row in report["results"]:
        table.add_row(
            row["name"],
            f"{row['accounts']:,}",
            f"{row['open_holds']:,}",
            f"{row['operations_per_second']:,}",
            f"{row['holds_per_second']:,}",
            f"{row['settlements_per_second']:,}",
            f"{row['ratio']:,}",
        )
    return table
