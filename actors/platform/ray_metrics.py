"""Metrics handed to the agent of the node that measures them (`actors/platform/metrics.py`)."""

import time
from collections.abc import Mapping

from ray.util.metrics import Counter, Gauge

from actors.platform.messages import PairLag
from actors.platform.metrics import HELP, Metric, declined_by_reason, is_counter, pair_metrics

_Labels = tuple[tuple[str, str], ...]
# A gauge that stands still is told again now and then: the agent may have been made anew.
_AGAIN_S = 10.0


class RayMetrics:
    """Set metrics in Ray's terms; counters are given their growth, as Ray asks for.

    Only for processes that live long: Ray loses the last points of others.
    """

    def __init__(self) -> None:
        self._known: dict[Metric, Gauge | Counter] = {}
        self._before: dict[tuple[Metric, _Labels], float] = {}
        self._told_s: dict[tuple[Metric, _Labels], float] = {}

    def export(self, metrics: Mapping[Metric, float], **labels: str) -> None:
        """Hand over the present values of metrics that share their labels."""
        for metric, value in metrics.items():
            self._export(metric, value, labels)

    def export_pairs(self, lags: Mapping[str, PairLag]) -> None:
        """Hand over what a router has measured."""
        for pair, lag in lags.items():
            self.export(pair_metrics(lag), pair=pair)
            for reason, count in declined_by_reason(lag).items():
                self.export({Metric.PAIR_REJECTED: count}, pair=pair, reason=reason)

    def _export(self, metric: Metric, value: float, labels: dict[str, str]) -> None:
        known = self._known.get(metric)
        if known is None:
            # Ray puts "ray_" before the name, and "_total" behind a counter's.
            kind = Counter if is_counter(metric) else Gauge
            name = metric.removesuffix("_total")
            known = kind(name, description=HELP[metric], tag_keys=tuple(labels))
            self._known[metric] = known
        key = metric, tuple(labels.items())
        before = self._before.get(key)
        self._before[key] = value
        if isinstance(known, Counter):
            growth = value - (before or 0.0)
            if growth > 0:
                known.inc(growth, tags=labels)
            return
        now_s = time.monotonic()
        if value != before or now_s > self._told_s.get(key, 0.0) + _AGAIN_S:
            self._told_s[key] = now_s
            known.set(value, tags=labels)
