"""Table of markets that `up` keeps alive and `status` prints once."""

from typing import Any

from rich.table import Table


def markets_table(rows: list[dict[str, Any]]) -> Table:
    """Return the table of `cluster.platform.status.market_rows`."""
    table = Table(box=None, pad_edge=False)
    table.add_column("market")
    for heading in ("last price", "orders/s", "trades/s", "book", "log lag"):
        table.add_column(heading, justify="right")
    table.add_column("status")
    for row in rows:
        table.add_row(
            row["pair"],
            row["last_price"] or "-",
            f"{row['orders_per_second']:,.0f}",
            f"{row['trades_per_second']:,.0f}",
            f"{row['open_orders']:,}",
            f"{row['commands_behind']:,}",
            _status(row),
        )
    return table


def _status(row: dict[str, Any]) -> str:
    if not row["available"]:
        return "[yellow]restoring[/]"
    return "[red]halted[/]" if row["halted"] else "[green]trading[/]"
