"""`forkast bench book` in a small size."""

import msgspec
import pytest
from typer.testing import CliRunner

from cluster.bench import app
from cluster.bench.race import BATCH_SIZES, SCENARIOS

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


def test_a_ratio_is_the_pace_at_batches_of_256_over_the_peers() -> None:
    outcome = CliRunner().invoke(app, [*SMALL, "--json"], catch_exceptions=False)
    report = msgspec.json.decode(outcome.stdout, type=Report)
    ours = {
        row.scenario: row.commands_per_second for row in report.results if row.batch_size == 256
    }
    for peer in report.peers:
        quotient = ours[peer.scenario] / peer.commands_per_second
        assert peer.ratio == pytest.approx(quotient, rel=0.02, abs=0.06)


def test_its_table_names_every_scenario() -> None:
    outcome = CliRunner().invoke(app, [*SMALL, "--no-peers"], catch_exceptions=False)
    assert outcome.exit_code == 0
    assert all(scenario in outcome.stdout for scenario in SCENARIOS)
