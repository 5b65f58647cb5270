"""Steady load for minutes: what each kind of process holds meanwhile, and how fast it stays."""

import asyncio
from collections.abc import Callable
from contextlib import AsyncExitStack

import msgspec

from actors.platform.topology import Topology
from cluster.data.state import RunState
from cluster.platform.status import memory
from cluster.tools.bench.load.clients import OrderClients, Tally
from cluster.tools.bench.load.flatness import Growth, growths, is_as_fast, middle
from cluster.tools.bench.load.witness import Ways, WitnessProcess, drain
from cluster.tools.bench.pipeline.observer import percentiles_ms
from cluster.tools.bench.pipeline.orders import encoded_singles, sources

SETTLE_MINUTES = 5.0
_CONNECTIONS = 128
_BODIES = 5_000
_WARM_RATE = 50.0
_WARM_S = 3.0
# What p99 may do by chance from one minute to another.
_P99_FACTOR = 1.5
_P99_SLACK_MS = 10.0


class Minute(msgspec.Struct, kw_only=True):
    """One stretch of the load, as a rule a minute, and what was held at its end.

    `memory_bytes` are proportional set sizes (PSS) by kind of process, "total" their sum; of the
    first, which holds no load, nothing else is known. `event_ms` is from sending an order to the
    Socket.IO event that names it. `unheard` orders had no event yet at the end.
    """

    minute: float
    memory_bytes: dict[str, int]
    orders: int = 0
    refused: int = 0
    unsent: int = 0
    failed: int = 0
    unheard: int = 0
    event_ms: dict[str, float] = {}


class Soak(msgspec.Struct, kw_only=True):
    """The minutes, each kind's growth, and what they come to.

    `memory_flat` and `p99_steady` are None where the load was too short to tell.
    """

    orders_per_second: float
    minutes: list[Minute]
    growths: list[Growth]
    memory_flat: bool | None
    p99_steady: bool | None


def measure_soak(
    state: RunState,
    topology: Topology,
    *,
    orders_per_second: float,
    minutes: float,
    pairs: int,
    seed: int,
    tell: Callable[[Minute], None],
    minute_s: float = 60.0,
) -> Soak:
    """Hold the load against a running platform; tell of each minute. Raises ClusterError.

    `minute_s` is how long one takes.
    """
    markets = list(topology)[:pairs]
    bodies = encoded_singles(sources(topology, pairs=pairs, seed=seed), _BODIES)

    async def hold() -> list[Minute]:
        async with AsyncExitStack() as stack:
            witness = stack.enter_context(
                WitnessProcess(state.url, [market.pair for market in markets])
            )
            clients = await stack.enter_async_context(
                OrderClients(state.url, bodies, connections=_CONNECTIONS)
            )
            ways = Ways()
            warm = await clients.hold(orders_per_second=_WARM_RATE, seconds=_WARM_S)
            ways.sent(warm.sent_us)
            await drain(witness, ways)
            ways.took_us()
            found = [Minute(minute=0.0, memory_bytes=memory(state))]
            tell(found[0])
            left = minutes
            while left > 0:
                share = min(1.0, left)
                tally = await clients.hold(
                    orders_per_second=orders_per_second, seconds=share * minute_s
                )
                ways.sent(tally.sent_us)
                ways.heard(witness.heard_us())
                left = round(left - share, 6)
                found.append(_minute(minutes - left, state, tally, ways))
                tell(found[-1])
            return found

    held = asyncio.run(hold())
    return summary(held, orders_per_second=orders_per_second)


def summary(held: list[Minute], *, orders_per_second: float) -> Soak:
    """Return what the minutes come to."""
    grown = growths(
        [one.memory_bytes for one in held],
        minutes=[one.minute for one in held],
        settle_minutes=SETTLE_MINUTES,
    )
    judged = [one.flat for one in grown]
    return Soak(
        orders_per_second=orders_per_second,
        minutes=held,
        growths=grown,
        memory_flat=None if None in judged else all(judged),
        p99_steady=_is_steady(held[1:]),
    )


def _is_steady(held: list[Minute]) -> bool | None:
    """Say whether the last third of the minutes was as fast as the first third."""
    third = len(held) // 3
    if not third:
        return None
    if not all(one.orders for one in held):
        return False
    return is_as_fast(
        middle([one.event_ms for one in held[:third]]),
        middle([one.event_ms for one in held[-third:]]),
        factor=_P99_FACTOR,
        slack_ms=_P99_SLACK_MS,
    )


def _minute(minute: float, state: RunState, tally: Tally, ways: Ways) -> Minute:
    return Minute(
        minute=round(minute, 3),
        memory_bytes=memory(state),
        orders=len(tally.sent_us),
        refused=tally.refused.total(),
        unsent=tally.unsent,
        failed=tally.failed.total(),
        unheard=ways.unheard,
        event_ms=percentiles_ms([ways.took_us()]),
    )
