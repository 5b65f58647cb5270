"""Each order's way put together from what client, log, stamps and stored positions know of it."""

from collections.abc import Mapping, Sequence

import numpy as np

from actors.platform.trace import Step
from cluster.tools.bench.latency.load import OpenLoad
from cluster.tools.bench.latency.positions import CONSUMERS, Positions
from cluster.tools.bench.latency.records import OrderTimes
from cluster.tools.bench.latency.stages import (
    PATH,
    Moments,
    Stage,
    aside_stage,
    other_stage,
    path_stages,
)
from cluster.tools.bench.latency.stamps import Stamps

# A mark that more orders lack is not used: the platform takes no stamps, or they were lost.
_UNSTAMPED_MAX = 0.1


def stages_of(
    load: OpenLoad,
    seen_us: Mapping[int, int],
    times: Mapping[int, OrderTimes],
    stamps: Stamps,
    positions: Positions,
    cpu_ms: Mapping[str, float],
) -> list[Stage]:
    """Return the stages of the way, and those beside it; `cpu_ms` by stage.

    Of orders that the client or the log knows nothing of, nothing is in them.
    """
    known = [
        order_id
        for order_id in load.sent_us
        if order_id in seen_us and order_id in times and times[order_id].published_us
    ]
    sent_us = column(load.sent_us, known)
    ends_us = _marks([times[order_id] for order_id in known], stamps)
    ends_us["client"] = column(seen_us, known)
    whole = np.all([marks > 0 for marks in ends_us.values()], axis=0)
    ends_us = {name: marks[whole] for name, marks in ends_us.items()}
    return [
        *path_stages(sent_us[whole], ends_us, cpu_ms),
        *(_aside(name, load, times, positions, cpu_ms) for name in CONSUMERS),
        other_stage(cpu_ms),
    ]


def column(values: Mapping[int, int], order_ids: Sequence[int]) -> Moments:
    """Return the values of these orders, in their order."""
    return np.array([values[order_id] for order_id in order_ids], np.int64)


def _marks(orders: Sequence[OrderTimes], stamps: Stamps) -> dict[str, Moments]:
    """Return when each order left each stage that is known, 0 where that is not known of it."""
    partitions = [one.partition for one in orders]
    markets = [one.market_id for one in orders]
    offsets = [one.offset for one in orders]
    event_offsets = [one.event_offset for one in orders]
    marks = {
        "door": np.array([one.stamped_us for one in orders], np.int64),
        "append": np.array([one.logged_us for one in orders], np.int64),
        "log": stamps.begun_us(Step.ROUTED, partitions, offsets),
        "router": stamps.begun_us(Step.APPLIED, markets, offsets),
        "actor": stamps.ended_us(Step.APPLIED, markets, offsets),
        "publish": np.array([one.published_us for one in orders], np.int64),
        "hub": stamps.ended_us(Step.TOLD, partitions, event_offsets),
    }
    return {
        name: marks[name]
        for name in PATH
        if name in marks and np.count_nonzero(marks[name] == 0) <= _UNSTAMPED_MAX * len(orders)
    }


def _aside(
    name: str,
    load: OpenLoad,
    times: Mapping[int, OrderTimes],
    positions: Positions,
    cpu_ms: Mapping[str, float],
) -> Stage:
    """Return how long after their publication events are stored: all, or for candles the trades."""
    rows = np.array(
        [
            (load.sent_us[order_id], one.published_us, one.market_id, sequence)
            for order_id, one in times.items()
            if order_id in load.sent_us
            and (sequence := one.sequence if name == "writer" else one.trade_sequence)
        ],
        np.int64,
    ).reshape(-1, 4)
    stored_us = positions.stored_us(name, rows[:, 2].tolist(), rows[:, 3].tolist())
    there = stored_us > 0
    return aside_stage(name, rows[there, 0], rows[there, 1], stored_us[there], cpu_ms)
