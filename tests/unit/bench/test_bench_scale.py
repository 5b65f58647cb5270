"""`forkast bench scale` in a small size."""

import msgspec
import structlog
from typer.testing import CliRunner

from cluster.cli.bench import app
from cluster.tools.bench.scale_report import BookCost, Report, markdown


def test_its_json_holds_every_size_up_to_the_largest() -> None:
    asked = ["scale", "--json", "--no-platform", "--most", "10000"]
    try:
        outcome = CliRunner().invoke(app, asked, catch_exceptions=False)
    finally:
        structlog.reset_defaults()
    report = msgspec.json.decode(outcome.stdout, type=Report)
    assert [row.open_orders for row in report.book] == [1_000, 10_000]
    assert [row.pairs for row in report.shared] == [10, 50, 100, 200]
    assert [row.log_commands for row in report.recovery] == [10_000]
    assert all(row.nanoseconds_per_command > 0 for row in report.book)
    assert all(row.seconds > 0 for row in report.recovery)


def test_its_markdown_holds_a_row_a_size_and_a_bar_a_row() -> None:
    sizes = (1_000, 1_000_000)
    book = [
        BookCost(
            open_orders=size,
            nanoseconds_per_command=400.5,
            bytes_per_order=350.0,
            first_copy_ms=8.0,
            copy_ms=0.5,
            restore_ms=10.0,
        )
        for size in sizes
    ]
    shown = markdown(Report(throughput=[], book=book, shared=[], recovery=[]))
    assert "| 1,000,000 | 400.5 |" in shown
    assert '    x-axis ["1,000", "1,000,000"]\n' in shown
    assert "    bar [400.5, 400.5]\n" in shown
