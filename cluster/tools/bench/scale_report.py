"""Findings about scale, as tables, and as a page of tables and plots."""

from collections.abc import Sequence

import msgspec


class Throughput(msgspec.Struct, kw_only=True):
    """Packed orders straight into the log, over so many pairs and as many actors."""

    pairs: int
    orders_per_second: float
    rows_per_second: float


class BookCost(msgspec.Struct, kw_only=True):
    """A pair of commands, one place and its cancel, in a book of this size; CPU time.

    A market waits for its snapshot's copy: `first_copy_ms` with memory that was never touched,
    `copy_ms` from then on.
    """

    open_orders: int
    nanoseconds_per_command: float
    bytes_per_order: float
    first_copy_ms: float
    copy_ms: float
    restore_ms: float


class SharedCost(msgspec.Struct, kw_only=True):
    """Quiet pairs that share one process: memory of each, and a turn of one order to every one."""

    pairs: int
    kilobytes_per_pair: float
    microseconds_per_order: float


class Recovery(msgspec.Struct, kw_only=True):
    """A pair that starts anew with so many commands in its log since its snapshot."""

    log_commands: int
    open_orders: int
    seconds: float
    snapshot_seconds: float


class Report(msgspec.Struct, kw_only=True):
    """All four; `throughput` is empty where no platform was measured."""

    throughput: list[Throughput]
    book: list[BookCost]
    shared: list[SharedCost]
    recovery: list[Recovery]


def tables(report: Report) -> list[list[list[str]]]:
    """Return a table for each question that was measured: its heads, then its rows."""
    parts: tuple[Sequence[msgspec.Struct], ...] = (
        report.throughput,
        report.book,
        report.shared,
        report.recovery,
    )
    return [[_heads(rows), *_cells(rows)] for rows in parts if rows]


def markdown(report: Report) -> str:
    """Return the tables, and as Mermaid's charts how throughput and cost grow."""
    blocks = []
    for heads, *rows in tables(report):
        lines = [heads, ["---"] * len(heads), *rows]
        blocks.append("".join(f"| {' | '.join(line)} |\n" for line in lines))
    if report.throughput:
        blocks.append(
            _chart(
                "orders a second, by pairs that trade",
                [f"{one.pairs}" for one in report.throughput],
                [one.orders_per_second for one in report.throughput],
            )
        )
    blocks.append(
        _chart(
            "nanoseconds a command, by open orders",
            [f"{one.open_orders:,}" for one in report.book],
            [one.nanoseconds_per_command for one in report.book],
        )
    )
    return "\n".join(blocks)


def _chart(title: str, names: Sequence[str], values: Sequence[float]) -> str:
    categories = ", ".join(f'"{name}"' for name in names)
    figures = ", ".join(f"{value:g}" for value in values)
    return (
        f'```mermaid\nxychart-beta\n    title "{title}"\n    x-axis [{categories}]\n'
        f"    y-axis 0 --> {1.2 * max(values):.0f}\n    bar [{figures}]\n```\n"
    )


def _heads(rows: Sequence[msgspec.Struct]) -> list[str]:
    return [name.replace("_", " ") for name in rows[0].__struct_fields__]


def _cells(rows: Sequence[msgspec.Struct]) -> list[list[str]]:
    names = rows[0].__struct_fields__
    return [[f"{getattr(row, name):,}" for name in names] for row in rows]
