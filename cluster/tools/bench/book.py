"""Rates of the matching kernel beside other books over the same flow, as one report."""

from collections.abc import Callable
from dataclasses import asdict
from typing import Any

from cluster.tools.bench.flow import DEFAULT_MIX
from cluster.tools.bench.race import (
    COMPARED_BATCH_SIZE,
    SCENARIOS,
    BookRate,
    cached_start_seconds,
    race,
)


def measure_books(
    *, seconds: float, commands: int, seed: int, peers: bool, tell: Callable[[str], None]
) -> dict[str, Any]:
    """Let all books take turns in every scenario; return the report. It takes about `seconds`."""
    start_seconds = cached_start_seconds()
    rates: list[BookRate] = []
    for scenario in SCENARIOS:
        tell(f"{scenario}: all books take turns")
        rates += race(
            scenario=scenario,
            commands=commands,
            seconds=seconds / len(SCENARIOS),
            seed=seed,
            peers=peers,
        )
    return summarise(rates, cached_start_seconds=start_seconds, commands=commands, seed=seed)


def summarise(
    rates: list[BookRate], *, cached_start_seconds: float, commands: int, seed: int
) -> dict[str, Any]:
    """Return the report that `--json` prints; a ratio is ours at batches of 256 to theirs."""
    ours = [rate for rate in rates if rate.name == "forkast"]
    compared = {
        rate.scenario: rate.commands_per_second
        for rate in ours
        if rate.batch_size == COMPARED_BATCH_SIZE
    }
    slowest_single = min(rate.commands_per_second for rate in ours if rate.batch_size == 1)
    return {
        "results": [
            {
                "scenario": rate.scenario,
                "batch_size": rate.batch_size,
                "commands_per_second": round(rate.commands_per_second),
                "events_per_second": round(rate.events_per_second),
            }
            for rate in ours
        ],
        "peers": [
            {
                "name": rate.name,
                "scenario": rate.scenario,
                "commands_per_second": round(rate.commands_per_second),
                "ratio": round(compared[rate.scenario] / rate.commands_per_second, 1),
            }
            for rate in rates
            if rate.name != "forkast"
        ],
        "batch_of_one_us": round(1e6 / slowest_single, 2),
        "cached_start_seconds": round(cached_start_seconds, 3),
        "flow": {"commands": commands, "seed": seed, **asdict(DEFAULT_MIX)},
    }
