"""Every metric of the platform by name: what `/metrics` shows and Ray's agents export.

gateway   counts for itself, in its own process
router    measures its pairs once a second; gateways show what it found, by way of Redis
writer    tells its status to the gateway that asks
hub       writes its metrics to Redis once a second
"""

from enum import StrEnum

from actors.book.reasons import Reason
from actors.platform.messages import PairLag


class Metric(StrEnum):
    """Names as Prometheus sees them; those that end in _total are counters."""

    HTTP_REQUESTS = "forkast_http_requests_total"
    HTTP_SECONDS = "forkast_http_request_seconds"
    ORDERS_RECEIVED = "forkast_orders_received_total"
    ORDERS_ACCEPTED = "forkast_orders_accepted_total"
    WAITING_REQUESTS = "forkast_waiting_requests"
    LOG_PENDING = "forkast_log_pending_commands"

    PAIR_AVAILABLE = "forkast_pair_available"
    PAIR_HALTED = "forkast_pair_halted"
    PAIR_BEHIND = "forkast_pair_commands_behind"
    PAIR_RECORDS_BEHIND = "forkast_pair_records_behind"
    PAIR_COMMANDS_RATE = "forkast_pair_commands_per_second"
    PAIR_TRADES_RATE = "forkast_pair_trades_per_second"
    PAIR_COMMANDS = "forkast_pair_commands_total"
    PAIR_TRADES = "forkast_pair_trades_total"
    PAIR_OPEN_ORDERS = "forkast_pair_open_orders"
    PAIR_SEQUENCE = "forkast_pair_sequence"
    PAIR_APPLY_SECONDS = "forkast_pair_apply_seconds"
    PAIR_RANGES = "forkast_pair_ranges_in_flight"
    PAIR_RECOVERIES = "forkast_pair_recoveries_total"
    PAIR_RECOVERY_SECONDS = "forkast_pair_recovery_seconds"
    PAIR_REJECTED = "forkast_pair_rejected_total"

    WRITER_HEALTHY = "forkast_writer_healthy"
    WRITER_BEHIND = "forkast_writer_records_behind"
    WRITER_COMMIT_SECONDS = "forkast_writer_commit_seconds"

    HUB_CLIENTS = "forkast_hub_clients"
    HUB_CUT = "forkast_hub_clients_cut_total"


HELP: dict[Metric, str] = {
    Metric.HTTP_REQUESTS: "Requests answered.",
    Metric.HTTP_SECONDS: "Time from a request's head to the end of its answer.",
    Metric.ORDERS_RECEIVED: "Orders received, accepted or not.",
    Metric.ORDERS_ACCEPTED: "Orders accepted: the log has acknowledged them.",
    Metric.WAITING_REQUESTS: "Requests that wait for the outcome of their order.",
    Metric.LOG_PENDING: "Commands sent to the log and not acknowledged yet.",
    Metric.PAIR_AVAILABLE: "1 while the pair's actor answers, else 0.",
    Metric.PAIR_HALTED: "1 while the market is halted and takes cancels only, else 0.",
    Metric.PAIR_BEHIND: "Commands in the log that the pair has not applied yet.",
    Metric.PAIR_RECORDS_BEHIND: "Records in the pair's partition that it has not applied yet.",
    Metric.PAIR_COMMANDS_RATE: "Commands applied a second, lately.",
    Metric.PAIR_TRADES_RATE: "Trades made a second, lately.",
    Metric.PAIR_COMMANDS: "Commands applied since the pair's router started.",
    Metric.PAIR_TRADES: "Trades made since the pair's router started.",
    Metric.PAIR_OPEN_ORDERS: "Open orders in the book.",
    Metric.PAIR_SEQUENCE: "Sequence of the pair's last event.",
    Metric.PAIR_APPLY_SECONDS: "Mean time from handing a range to the actor to its answer.",
    Metric.PAIR_RANGES: "Ranges handed to the actor and not answered yet.",
    Metric.PAIR_RECOVERIES: "Times that the pair's actor was lost since the pair's router started.",
    Metric.PAIR_RECOVERY_SECONDS: "Time that the pair's last recovery took.",
    Metric.PAIR_REJECTED: "Commands that the book rejected or refused, by reason.",
    Metric.WRITER_HEALTHY: "1 while the writer writes the rows of every market, else 0.",
    Metric.WRITER_BEHIND: "Records of events whose rows are not written yet.",
    Metric.WRITER_COMMIT_SECONDS: "Time that the writer's last transaction took.",
    Metric.HUB_CLIENTS: "Clients connected to the hub.",
    Metric.HUB_CUT: "Clients disconnected because they read too slowly.",
}

_OF_PAIRS: dict[Metric, str] = {
    Metric.PAIR_AVAILABLE: "available",
    Metric.PAIR_HALTED: "halted",
    Metric.PAIR_BEHIND: "commands_behind",
    Metric.PAIR_RECORDS_BEHIND: "records_behind",
    Metric.PAIR_COMMANDS_RATE: "commands_per_second",
    Metric.PAIR_TRADES_RATE: "trades_per_second",
    Metric.PAIR_COMMANDS: "total_commands",
    Metric.PAIR_TRADES: "total_trades",
    Metric.PAIR_OPEN_ORDERS: "open_orders",
    Metric.PAIR_SEQUENCE: "sequence",
    Metric.PAIR_APPLY_SECONDS: "apply_seconds",
    Metric.PAIR_RANGES: "ranges_in_flight",
    Metric.PAIR_RECOVERIES: "recoveries",
    Metric.PAIR_RECOVERY_SECONDS: "recovery_seconds",
}

# Everything that is counted or measured a pair at a time.
PAIR_METRICS = (*_OF_PAIRS, Metric.PAIR_REJECTED)


def pair_metrics(lag: PairLag) -> dict[Metric, float]:
    """Return a pair's metrics by name, all but those by reason."""
    return {metric: float(getattr(lag, field)) for metric, field in _OF_PAIRS.items()}


def declined_by_reason(lag: PairLag) -> dict[str, int]:
    """Return how many commands a pair has rejected or refused, by the reason's name."""
    known = {int(reason): reason.name for reason in Reason}
    return {known.get(code, str(code)): count for code, count in lag.declined.items()}


def is_counter(metric: Metric) -> bool:
    """Say whether a metric only grows while its process lives."""
    return metric.endswith("_total")
