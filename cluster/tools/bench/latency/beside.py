"""The same orders through the sketch, beside the platform: what the hops cost at the least."""

import asyncio
import os
import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial

import msgspec
import numpy as np

from cluster.data.state import RunState
from cluster.errors import ClusterError
from cluster.tools.bench.latency.load import OpenLoad, warmed_up
from cluster.tools.bench.pipeline.observer import percentiles_ms
from cluster.tools.bench.sketch.run import Sketch, running_sketch
from cluster.tools.bench.usage import Usage, beyond_idle, cores_at_rest, quieter, usage_of

GENERATOR = "load generator"
_KAFKA = "Kafka"
_SETTLE_S = 1.0
_DRAIN_S = 30.0
_POLL_S = 0.05


class SketchRate(msgspec.Struct, kw_only=True):
    """What the sketch came to at one rate; the fields are those of the platform's rate."""

    orders_per_second: float
    orders_per_second_reached: float
    orders: int
    unseen: int
    event_ms: dict[str, float]
    answer_ms: dict[str, float]
    cpu_ms_per_order: float
    processes: dict[str, float]


async def measure_sketch(
    state: RunState,
    pairs: Sequence[str],
    bodies: Sequence[bytes],
    *,
    rates: Sequence[float],
    seconds: float,
    idle_seconds: float,
    tell: Callable[[str], None],
) -> list[SketchRate]:
    """Hold each rate against a sketch on the platform's Kafka. Raises ClusterError and OSError."""
    tell("starting the sketch")
    async with running_sketch(state.kafka_bootstrap, pairs) as sketch:
        await _drain(await warmed_up(sketch.url, bodies), sketch)
        look = partial(_usage, state, sketch)
        idle = await cores_at_rest(look, idle_seconds, tell=tell)
        held = []
        for rate in rates:
            tell(f"the sketch: {rate:g} orders a second for {seconds:g} s")
            load = OpenLoad(sketch.url, bodies)
            before = look()
            began_s = time.monotonic()
            await load.run(orders_per_second=rate, seconds=seconds)
            sending_s = time.monotonic() - began_s
            await _drain(load, sketch)
            held.append((rate, load, before, look(), sending_s))
        idle = quieter(idle, await cores_at_rest(look, idle_seconds, tell=tell))
        return [
            _rate(rate, load, sketch, beyond_idle(before, after, idle), sending_s=sending_s)
            for rate, load, before, after, sending_s in held
        ]


async def _drain(load: OpenLoad, sketch: Sketch) -> None:
    deadline_s = time.monotonic() + _DRAIN_S
    await asyncio.sleep(_SETTLE_S)
    while time.monotonic() < deadline_s:
        if load.sent_us.keys() <= sketch.seen_us.keys():
            return
        await asyncio.sleep(_POLL_S)


def _usage(state: RunState, sketch: Sketch) -> Usage:
    """Return what the sketch, its load and the Kafka that it shares have used."""
    others = {**sketch.process_ids, GENERATOR: [os.getpid()]}
    whole = usage_of(state.process_id, others=others)
    ours = {kind: used for kind, used in whole.cpu_s.items() if kind in others or kind == _KAFKA}
    return Usage(whole.at_s, ours)


def _rate(
    rate: float,
    load: OpenLoad,
    sketch: Sketch,
    spent: Mapping[str, float],
    *,
    sending_s: float,
) -> SketchRate:
    known = [order_id for order_id in load.sent_us if order_id in sketch.seen_us]
    if not known:
        raise ClusterError("no order came through the sketch")
    sent, answered, seen = (
        np.array([times[order_id] for order_id in known], np.int64)
        for times in (load.sent_us, load.answered_us, sketch.seen_us)
    )
    orders = len(load.sent_us)
    per_order = {kind: round(used * 1_000 / orders, 3) for kind, used in spent.items()}
    return SketchRate(
        orders_per_second=rate,
        orders_per_second_reached=round(orders / sending_s, 1),
        orders=orders,
        unseen=orders - len(known),
        event_ms=percentiles_ms([seen - sent]),
        answer_ms=percentiles_ms([answered - sent]),
        cpu_ms_per_order=round(sum(spent.values()) * 1_000 / orders, 3),
        processes=per_order,
    )
