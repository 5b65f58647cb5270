"""Locust's run of the reference platform's flow, and what its figures come to."""

import importlib.util
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import msgspec

from cluster.errors import ClusterError
from cluster.tools.platforms import REPOSITORY

FLOW = REPOSITORY / "tests" / "load" / "locustfile.py"
_ORDERS = "/orders"
_LATE_S = 60.0


class Flow(msgspec.Struct, kw_only=True):
    """What Locust's users got: orders a second, failed ones, and milliseconds to the answer.

    Locust rounds what is over 100 ms to two digits.
    """

    users: int
    seconds: float
    orders: int
    failures: int
    orders_per_second: float
    answer_ms: dict[str, float]


class _Entry(msgspec.Struct):
    name: str
    method: str
    num_requests: int
    num_failures: int
    start_time: float
    last_request_timestamp: float | None
    response_times: dict[str, int]


def run_flow(url: str, *, users: int, seconds: float) -> Flow:
    """Let Locust's users trade on a platform. Raises ClusterError."""
    if importlib.util.find_spec("locust") is None:
        raise ClusterError("Locust is not installed: uv sync --group load")
    if not FLOW.exists():
        raise ClusterError(f"{FLOW} is not there: Locust's flow comes with the sources alone")
    try:
        done = subprocess.run(
            [*_command(FLOW), "--host", url, "--users", str(users), "--spawn-rate", str(users),
             "--run-time", f"{seconds:g}s"],
            capture_output=True,
            text=True,
            timeout=seconds + _LATE_S,
            check=False,
        )  # fmt: skip
    except subprocess.TimeoutExpired as error:
        raise ClusterError(f"Locust did not end within {seconds + _LATE_S:g} s") from error
    try:
        return flow_of(done.stdout, users=users)
    except msgspec.MsgspecError as error:
        raise ClusterError(f"Locust ended without figures: {done.stderr[-500:]}") from error


def _command(flow: Path) -> list[str]:
    return [
        sys.executable, "-m", "locust", "--locustfile", str(flow), "--headless", "--json",
        "--skip-log", "--exit-code-on-error", "0",
    ]  # fmt: skip


def flow_of(stats: str, *, users: int) -> Flow:
    """Return what Locust's JSON says of orders. Raises MsgspecError and ClusterError."""
    entries = msgspec.json.decode(stats, type=list[_Entry])
    orders = [one for one in entries if (one.method, one.name) == ("POST", _ORDERS)]
    if not orders:
        raise ClusterError("Locust's users placed no order")
    (one,) = orders
    seconds = max((one.last_request_timestamp or one.start_time) - one.start_time, 1e-3)
    return Flow(
        users=users,
        seconds=round(seconds, 2),
        orders=one.num_requests,
        failures=one.num_failures,
        orders_per_second=round(one.num_requests / seconds, 1),
        answer_ms=percentiles({float(ms): count for ms, count in one.response_times.items()}),
    )


def percentiles(counts: Mapping[float, int]) -> dict[str, float]:
    """Return p50, p95 and p99 of values that occur so often, 0 where there are none."""
    total = sum(counts.values())
    if not total:
        return {"p50": 0.0, "p95": 0.0, "p99": 0.0}
    found: dict[str, float] = {}
    reached = 0
    for value in sorted(counts):
        reached += counts[value]
        for share in (50, 95, 99):
            if reached * 100 >= total * share:
                found.setdefault(f"p{share}", value)
    return found
