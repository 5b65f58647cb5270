"""The writer's name and how it says that it stands."""

from actors.follow.status import FollowerStatus
from actors.platform.metrics import Metric

WRITER_NAME = "writer"


class WriterStatus(FollowerStatus, frozen=True, kw_only=True):
    """How the writer stands.

    `events` counts what came in and `orders_inserted`, `orders_changed` and `trades` the rows
    that it came to, since the process started. `commands_offsets` says by market id up to which
    offset of `orders.new` the rows are complete.
    """

    events: int
    trades: int
    orders_inserted: int
    orders_changed: int
    commands_offsets: dict[int, int]


def writer_metrics(status: WriterStatus) -> dict[Metric, float]:
    """Return a writer's metrics by name."""
    return {
        Metric.WRITER_HEALTHY: float(status.healthy),
        Metric.WRITER_BEHIND: float(status.records_behind),
        Metric.WRITER_COMMIT_SECONDS: status.last_commit_duration_ms / 1_000,
    }
