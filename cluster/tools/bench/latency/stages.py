"""Arithmetic of a waterfall: what each stage takes of an order's time and of the processor."""

from collections.abc import Mapping, Sequence

import msgspec
import numpy as np
import numpy.typing as npt

Moments = npt.NDArray[np.int64]

PATH = ("door", "append", "log", "router", "actor", "publish", "hub", "client")
ASIDE = ("writer", "candles")
OTHER = "other"

# The gateway is door and append in one process, the router also publishes; Postgres serves the
# writer more than anybody else.
_STAGE_OF_KIND = {
    "HAProxy": "door",
    "gateway": "door",
    "Kafka": "log",
    "router": "router",
    "pair actors": "actor",
    "hub": "hub",
    "load generator": "client",
    "writer": "writer",
    "Postgres": "writer",
    "candles": "candles",
}


class Stage(msgspec.Struct, kw_only=True, frozen=True):
    """One stage of the way: milliseconds by percentile, and milliseconds of processor an order.

    `start_ms` is when it began after the order was sent, in the median. `share` is its part of
    the mean way from client to client; a stage beside that way has 0. `cpu_share` is its part of
    all that an order costs.
    """

    stage: str
    start_ms: float
    p50_ms: float
    p99_ms: float
    share: float
    cpu_ms: float
    cpu_share: float


def cpu_by_stage(spent_s: Mapping[str, float], *, orders: int) -> dict[str, float]:
    """Return the milliseconds of processor an order, by stage, from seconds by kind of process."""
    found = dict.fromkeys((*PATH, *ASIDE, OTHER), 0.0)
    for kind, seconds in spent_s.items():
        found[_STAGE_OF_KIND.get(kind, OTHER)] += seconds * 1_000 / orders
    return found


def path_stages(
    sent_us: Moments, ends_us: Mapping[str, Moments], cpu_ms: Mapping[str, float]
) -> list[Stage]:
    """Return the stages from the client to the client.

    `ends_us` holds, by stage, when each order left it. Stages whose end nobody saw are one with
    the next that was seen, and named together: "log, router".
    """
    last = ends_us[PATH[-1]]
    whole_us = float(np.mean(last - sent_us))
    stages, unseen, before = [], [], sent_us
    for name in PATH:
        unseen.append(name)
        if name not in ends_us:
            continue
        stages.append(
            _stage(unseen, before - sent_us, ends_us[name] - before, cpu_ms, whole_us=whole_us)
        )
        unseen, before = [], ends_us[name]
    return stages


def aside_stage(
    name: str, sent_us: Moments, start_us: Moments, end_us: Moments, cpu_ms: Mapping[str, float]
) -> Stage:
    """Return a stage beside the way: from when its events could be read to when it had them."""
    return _stage([name], start_us - sent_us, end_us - start_us, cpu_ms, whole_us=0.0)


def other_stage(cpu_ms: Mapping[str, float]) -> Stage:
    """Return what all processes cost that no order passes through."""
    nothing = np.empty(0, np.int64)
    return _stage([OTHER], nothing, nothing, cpu_ms, whole_us=0.0)


def _stage(
    names: Sequence[str],
    start_us: Moments,
    took_us: Moments,
    cpu_ms: Mapping[str, float],
    *,
    whole_us: float,
) -> Stage:
    cost_ms = sum(cpu_ms[name] for name in names)
    total_ms = sum(cpu_ms.values())
    return Stage(
        stage=", ".join(names),
        start_ms=_percentile_ms(start_us, 50),
        p50_ms=_percentile_ms(took_us, 50),
        p99_ms=_percentile_ms(took_us, 99),
        share=round(float(np.mean(took_us)) / whole_us, 3) if whole_us else 0.0,
        cpu_ms=round(cost_ms, 3),
        cpu_share=round(cost_ms / total_ms, 3) if total_ms > 0 else 0.0,
    )


def _percentile_ms(values_us: Moments, percent: float) -> float:
    if not len(values_us):
        return 0.0
    return round(float(np.percentile(values_us, percent)) / 1_000, 2)
