"""Metrics handed to the agent of the node that measures them (`actors/platform/metrics.py`)."""

from collections.abc import Mapping

from ray.util.metrics import Counter, Gauge

from actors.platform.messages import PairLag
from actors.platform.metrics import HELP, Metric, declined_by_reason, is_counter, pair_metrics

_Labels = tuple[tuple[str, str], ...]


class RayMetrics:
    """Set metrics in Ray's terms; counters are given their growth, as Ray asks for.

    Only for processes that live long: Ray loses the last points of others.
    """

    def __init__(self) -> None:
        self._known: dict[Metric, Gauge | Counter] = {}
        self._before: dict[tuple[Metric, _Labels], float] = {}

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
        if isinstance(known, Gauge):
            known.set(value, tags=labels)
            return
        key = metric, tuple(labels.items())
        growth = value - self._before.get(key, 0.0)
        self._before[key] = value
        if growth > 0:
            known.inc(growth, tags=labels)
