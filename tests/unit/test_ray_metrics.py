"""What is handed to Ray's agent: what has changed, and what stands still now and then."""

import pytest
from ray.util.metrics import Gauge

from actors.platform.metrics import Metric, is_counter
from actors.platform.ray_metrics import RayMetrics


def test_a_gauge_that_stands_still_is_not_told_at_each_turn(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    gauge = next(metric for metric in Metric if not is_counter(metric))
    told: list[tuple[str, float]] = []
    monkeypatch.setattr(Gauge, "set", lambda _, value, tags: told.append((tags["pair"], value)))
    now_s = 1_000.0
    monkeypatch.setattr("actors.platform.ray_metrics.time.monotonic", lambda: now_s)
    metrics = RayMetrics()
    for pair, value in (("ONE", 1.0), ("TWO", 1.0), ("ONE", 1.0), ("ONE", 2.0), ("TWO", 1.0)):
        metrics.export({gauge: value}, pair=pair)
    assert told == [("ONE", 1.0), ("TWO", 1.0), ("ONE", 2.0)]
    now_s += 11.0
    metrics.export({gauge: 2.0}, pair="ONE")
    assert told[-1] == ("ONE", 2.0)
    assert len(told) == 4
