"""Every figure that the gateway gives to Prometheus, by name."""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

from actors.messages import PairLag
from actors.topology import Topology

_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)


class GatewayMetrics:
    """The figures of one gateway process, and the pairs' as their routers report them."""

    def __init__(self, topology: Topology) -> None:
        self.registry = CollectorRegistry()
        self._requests = Counter(
            "forkast_http_requests",
            "Requests answered.",
            ("method", "route", "status"),
            registry=self.registry,
        )
        self._seconds = Histogram(
            "forkast_http_request_seconds",
            "Time from a request's head to the end of its answer.",
            ("method", "route"),
            buckets=_SECONDS,
            registry=self.registry,
        )
        self._answers: dict[tuple[str, str, int], tuple[Counter, Histogram]] = {}
        orders = Counter(
            "forkast_orders_accepted",
            "Orders that the log has acknowledged.",
            ("pair",),
            registry=self.registry,
        )
        self._orders = {market.pair: orders.labels(market.pair) for market in topology}
        self.waiting = Gauge(
            "forkast_waiting_requests",
            "Requests that wait for an outcome.",
            registry=self.registry,
        )
        self.pending = Gauge(
            "forkast_log_pending_commands",
            "Commands that wait for the log's word.",
            registry=self.registry,
        )
        self._pair_gauges = {
            field: Gauge(f"forkast_pair_{field}", help_text, ("pair",), registry=self.registry)
            for field, help_text in (
                ("available", "1 while the pair's actor answers."),
                ("halted", "1 while the market takes cancels only."),
                ("commands_behind", "Commands in the log that the pair has not applied yet."),
                ("commands_per_second", "Commands applied in the last interval."),
                ("trades_per_second", "Trades made in the last interval."),
                ("open_orders", "Orders in the book."),
                ("sequence", "The pair's last sequence."),
            )
        }

    def accepted(self, pair: str, count: int) -> None:
        """Count orders that the log has acknowledged."""
        self._orders[pair].inc(count)

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

    def exposition(self, lags: dict[str, PairLag]) -> bytes:
        """Return all figures in Prometheus' text format."""
        for pair, lag in lags.items():
            for field, gauge in self._pair_gauges.items():
                gauge.labels(pair).set(float(getattr(lag, field)))
        return generate_latest(self.registry)
