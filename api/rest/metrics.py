"""Metrics that a gateway shows: its own answers, and pairs, writer and hub as they report."""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

from actors.platform.messages import HubMetrics, PairLag
from actors.platform.metrics import HELP, PAIR_METRICS, Metric, declined_by_reason, pair_metrics
from actors.writer.status import WriterStatus, writer_metrics

_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)


class PlatformMetrics:
    """All metrics of one gateway process; the exchange counts its orders in the same registry."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._requests = self._counter(Metric.HTTP_REQUESTS, "method", "route", "status")
        self._seconds = Histogram(
            Metric.HTTP_SECONDS,
            HELP[Metric.HTTP_SECONDS],
            ("method", "route"),
            buckets=_SECONDS,
            registry=self.registry,
        )
        self._answers: dict[tuple[str, str, int], tuple[Counter, Histogram]] = {}
        self.waiting = self._gauge(Metric.WAITING_REQUESTS)
        self.pending = self._gauge(Metric.LOG_PENDING)
        # What others count is set here, never added to: to Prometheus it is a counter all the same.
        self._pairs: dict[Metric, Gauge] = {
            metric: self._gauge(metric, "pair")
            for metric in PAIR_METRICS
            if metric is not Metric.PAIR_REJECTED
        }
        self._declined = self._gauge(Metric.PAIR_REJECTED, "pair", "reason")
        self._others: dict[Metric, Gauge] = {
            metric: self._gauge(metric)
            for metric in Metric
            if metric.startswith(("forkast_writer_", "forkast_hub_"))
        }

    def answered(self, *, method: str, route: str, status: int, seconds: float) -> None:
        """Count a request; `route` is the route's template, never the path."""
        known = self._answers.get((method, route, status))
        if known is None:
            known = (
                self._requests.labels(method, route, status),
                self._seconds.labels(method, route),
            )
            self._answers[method, route, status] = known
        counter, histogram = known
        counter.inc()
        histogram.observe(seconds)

    def exposition(
        self,
        lags: dict[str, PairLag],
        *,
        writer: WriterStatus | None,
        hub: HubMetrics | None,
    ) -> bytes:
        """Return all metrics in Prometheus' text format; a writer that is silent is not healthy."""
        for pair, lag in lags.items():
            for metric, value in pair_metrics(lag).items():
                self._pairs[metric].labels(pair).set(value)
            for reason, count in declined_by_reason(lag).items():
                self._declined.labels(pair, reason).set(count)
        others = writer_metrics(writer) if writer else {Metric.WRITER_HEALTHY: 0.0}
        others[Metric.HUB_CLIENTS] = hub.clients if hub else 0
        others[Metric.HUB_CUT] = hub.cut_clients if hub else 0
        for metric, value in others.items():
            self._others[metric].set(value)
        return generate_latest(self.registry)

    def _counter(self, metric: Metric, *labels: str) -> Counter:
        return Counter(metric, HELP[metric], labels, registry=self.registry)

    def _gauge(self, metric: Metric, *labels: str) -> Gauge:
        return Gauge(metric, HELP[metric], labels, registry=self.registry)
