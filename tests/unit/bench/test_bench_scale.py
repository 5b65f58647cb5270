"""`forkast bench scale` in a small size."""

import msgspec
import structlog
from typer.testing import CliRunner

from cluster.bench import app
from cluster.bench.scale import Report


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
