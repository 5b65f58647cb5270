"""`forkast bench ledger` in a small size."""

import msgspec
from typer.testing import CliRunner

from cluster.cli.bench import app
from cluster.tools.bench.ledger import LedgerRate, summarise

SMALL = ["ledger", "--accounts", "50", "--accounts", "20000", "--seconds", "0.2"]


class Result(msgspec.Struct, forbid_unknown_fields=True):
    name: str
    accounts: int
    open_holds: int
    operations_per_second: int
    holds_per_second: int
    settlements_per_second: int
    ratio: float


class Report(msgspec.Struct, forbid_unknown_fields=True):
    results: list[Result]
    flow: dict[str, int]


def test_its_json_holds_every_number_of_accounts_beside_the_naive_ledger() -> None:
    outcome = CliRunner().invoke(app, [*SMALL, "--json"], catch_exceptions=False)
    report = msgspec.json.decode(outcome.stdout, type=Report)
    found = [(row.name, row.accounts) for row in report.results]
    assert found == [("forkast", 50), ("forkast", 20_000), ("naive", 1_000)]
    assert all(row.holds_per_second > 0 < row.settlements_per_second for row in report.results)


def test_a_ratio_is_a_rate_to_the_naive_ledgers() -> None:
    def measured(name: str, rate: float) -> LedgerRate:
        return LedgerRate(
            name=name,
            accounts=7,
            open_holds=1,
            operations_per_second=rate,
            holds_per_second=rate,
            settlements_per_second=rate,
        )

    report = summarise([measured("forkast", 3e6)], measured("naive", 2e4), seed=1)
    assert [row["ratio"] for row in report["results"]] == [150.0, 1.0]
