"""A summary for people: a line a kind of fault, and what was lost."""

from rich.console import Console
from rich.table import Table

from cluster.tools.chaos.summary import Summary

_console = Console(highlight=False)


def print_summary(summary: Summary) -> None:
    """Print what a campaign has come to."""
    table = Table(box=None, pad_edge=False)
    table.add_column("fault")
    for name in ("times", "served again: p50 ms", "p99 ms"):
        table.add_column(name, justify="right")
    for kind, times in summary.by_kind.items():
        took = summary.recovery_ms[kind]
        table.add_row(kind, f"{times:,}", f"{took['p50']:,.0f}", f"{took['p99']:,.0f}")
    _console.print(table)
    if summary.others_ms:
        _console.print(
            "after a pair actor's kill, all but one pair served after "
            f"{summary.others_ms['p50']:,.0f} ms (p50), {summary.others_ms['p99']:,.0f} ms (p99)"
        )
    _console.print(
        f"seed {summary.seed}: {summary.faults:,} faults in {summary.rounds:,} rounds and "
        f"{summary.seconds:,.0f} s; {summary.accepted:,} orders accepted, {summary.resent:,} of "
        f"them sent again; {summary.lost} lost, {summary.doubled} doubled, "
        f"{summary.disagreed} answers that disagree, {summary.checks_failed} checks failed"
    )
