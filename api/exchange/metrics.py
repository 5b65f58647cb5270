"""What an exchange counts of its own orders."""

from prometheus_client import CollectorRegistry, Counter

from actors.platform.metrics import HELP, Metric
from actors.platform.topology import Topology


class OrderMetrics:
    """Orders of one process by pair, in a registry that its door shows."""

    def __init__(self, topology: Topology, registry: CollectorRegistry) -> None:
        received = _counter(Metric.ORDERS_RECEIVED, registry)
        accepted = _counter(Metric.ORDERS_ACCEPTED, registry)
        self._received = {market.pair: received.labels(market.pair) for market in topology}
        self._accepted = {market.pair: accepted.labels(market.pair) for market in topology}

    def received(self, pair: str, count: int) -> None:
        """Count orders that are about to be written to the log."""
        self._received[pair].inc(count)

    def accepted(self, pair: str, count: int) -> None:
        """Count orders that the log has acknowledged."""
        self._accepted[pair].inc(count)


def _counter(metric: Metric, registry: CollectorRegistry) -> Counter:
    return Counter(metric, HELP[metric], ("pair",), registry=registry)
