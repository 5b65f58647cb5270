"""`forkast bench book` in a small size."""

import msgspec
from typer.testing import CliRunner

from cluster.cli.bench import app
from cluster.tools.bench.book import summarise
from cluster.tools.bench.race import BATCH_SIZES, SCENARIOS, BookRate

SMALL = ["book", "--commands", "6000", "--seconds", "0.5"]


class Result(msgspec.Struct, forbid_unknown_fields=True):
    scenario: str
    batch_size: int
    commands_per_second: int
    events_per_second: int


class PeerResult(msgspec.Struct, forbid_unknown_fields=True):
    name: str
    scenario: str
    commands_per_second: int
    ratio: float


class Report(msgspec.Struct, forbid_unknown_fields=True):
    results: list[Result]
    peers: list[PeerResult]
    batch_of_one_us: float
    cached_start_seconds: float
    flow: dict[str, float]


def test_its_json_holds_every_scenario_and_batch_size_beside_the_naive_book() -> None:
    outcome = CliRunner().invoke(app, [*SMALL, "--json", "--no-peers"], catch_exceptions=False)
    report = msgspec.json.decode(outcome.stdout, type=Report)
    expected = {(scenario, size) for scenario in SCENARIOS for size in BATCH_SIZES}
    assert {(row.scenario, row.batch_size) for row in report.results} == expected
    assert {(row.name, row.scenario) for row in report.peers} == {
        ("naive", scenario) for scenario in SCENARIOS
    }
    assert all(row.commands_per_second > 0 < row.events_per_second for row in report.results)
    assert report.batch_of_one_us > 0 < report.cached_start_seconds


def test_a_ratio_is_the_rate_at_batches_of_256_over_the_others_in_the_same_scenario() -> None:
    def measured(name: str, scenario: str, batch_size: int, rate: float) -> BookRate:
        return BookRate(
            name=name,
            scenario=scenario,
            batch_size=batch_size,
            commands_per_second=rate,
            events_per_second=rate,
        )

    rates = [
        measured("forkast", "calm", 1, 400_000.0),
        measured("forkast", "calm", 256, 9_000_000.0),
        measured("forkast", "wild", 1, 250_000.0),
        measured("forkast", "wild", 256, 8_000_000.0),
        measured("other", "calm", 1, 300_000.0),
        measured("other", "wild", 1, 1_000_000.0),
    ]
    report = summarise(rates, cached_start_seconds=0.5, commands=1_000, seed=1)
    assert [row["ratio"] for row in report["peers"]] == [30.0, 8.0]
    assert report["batch_of_one_us"] == 4.0


def test_its_table_names_every_scenario() -> None:
    outcome = CliRunner().invoke(app, [*SMALL, "--no-peers"], catch_exceptions=False)
    assert outcome.exit_code == 0
    assert all(scenario in outcome.stdout for scenario in SCENARIOS)
