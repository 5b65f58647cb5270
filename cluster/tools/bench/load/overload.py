"""More load than a platform can take: what those wait who are accepted, and what the rest is told.

The sustainable load is what 32 clients without pause get through: their accepted orders, by the
time until the last of them was heard of on the realtime feed.
"""

import asyncio
import time
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack

import msgspec
import numpy as np

from actors.platform.topology import Topology
from cluster.data.state import RunState
from cluster.errors import ClusterError
from cluster.tools.bench.load.clients import OrderClients, Tally
from cluster.tools.bench.load.flatness import is_as_fast
from cluster.tools.bench.load.witness import Ways, WitnessProcess, drain
from cluster.tools.bench.pipeline.observer import percentiles_ms
from cluster.tools.bench.pipeline.orders import encoded_singles, sources

FACTORS = (2.0, 10.0)
EVENT_P99_MS_MAX = 500.0
REST_S = 5.0
_SATURATING_CLIENTS = 32
_LIGHT_SHARE = 0.1
_WARM_RATE = 50.0
_WARM_S = 3.0
_BODIES = 5_000
# As fast as before: chance, on a machine that others use too, is not slowness.
_FACTOR = 1.5
_SLACK_MS = 15.0


class Overload(msgspec.Struct, kw_only=True):
    """What became of one overload; latencies in milliseconds by percentile.

    `event_ms` is from sending an accepted order to the Socket.IO event that names it, `answer_ms`
    to its 201, `refusal_ms` to a 503. `due` orders of which `unsent` found no free connection.
    `refused_share` is of those that were sent; `refusals` counts them by code, `failures` all other
    answers by status (0: cut). `behind_s` is how long after the load the last accepted order was
    heard of. `after_ms` is the light load's `event_ms`, five seconds after the load's end, of which
    `lost_after` orders did not come through.
    """

    factor: float
    orders_per_second: float
    sent_per_second: float
    accepted_per_second: float
    due: int
    unsent: int
    accepted: int
    unheard: int
    refused_share: float
    refusals: dict[str, int]
    silent_refusals: int
    failures: dict[int, int]
    event_ms: dict[str, float]
    answer_ms: dict[str, float]
    refusal_ms: dict[str, float]
    behind_s: float
    after_ms: dict[str, float]
    lost_after: int
    as_fast_as_before: bool
    ok: bool


class Overloads(msgspec.Struct, kw_only=True):
    """The sustainable load, what a tenth of it takes before, and the overloads."""

    sustainable_per_second: float
    connections: int
    seconds: float
    before_ms: dict[str, float]
    overloads: list[Overload]
    ok: bool


def measure_overload(
    state: RunState,
    topology: Topology,
    *,
    sustainable_per_second: float,
    factors: Sequence[float],
    seconds: float,
    connections: int,
    pairs: int,
    seed: int,
    tell: Callable[[str], None],
) -> Overloads:
    """Overload a running platform; the sustainable load is found where it is 0.

    Raises ClusterError.
    """
    markets = list(topology)[:pairs]
    bodies = encoded_singles(sources(topology, pairs=pairs, seed=seed), _BODIES)

    async def drive() -> Overloads:
        async with AsyncExitStack() as stack:
            witness = stack.enter_context(
                WitnessProcess(state.url, [market.pair for market in markets])
            )
            clients = await stack.enter_async_context(
                OrderClients(state.url, bodies, connections=connections)
            )
            driver = _Driver(clients, witness, seconds=seconds)
            await driver.light(_WARM_RATE, _WARM_S)
            sustainable = sustainable_per_second
            if not sustainable:
                tell(f"{_SATURATING_CLIENTS} clients without pause for {seconds:g} s")
                sustainable = await driver.sustainable()
            light = sustainable * _LIGHT_SHARE
            tell(f"sustainable: {sustainable:,.0f}/s; a tenth of it for {seconds:g} s")
            before_ms = await driver.light(light, seconds)
            found = []
            for factor in factors:
                tell(f"{factor:g} times as much for {seconds:g} s, then again a tenth")
                found.append(await driver.overload(factor, sustainable, light, before_ms))
        return Overloads(
            sustainable_per_second=round(sustainable, 1),
            connections=connections,
            seconds=seconds,
            before_ms=before_ms,
            overloads=found,
            ok=all(one.ok for one in found),
        )

    return asyncio.run(drive())


class _Driver:
    def __init__(self, clients: OrderClients, witness: WitnessProcess, *, seconds: float) -> None:
        self._clients = clients
        self._witness = witness
        self._seconds = seconds

    async def light(self, orders_per_second: float, seconds: float) -> dict[str, float]:
        """Return the way's percentiles under a light load, all of which must come through."""
        tally = await self._clients.hold(orders_per_second=orders_per_second, seconds=seconds)
        took, _ = await self._heard(tally)
        if len(took) < tally.due:
            raise ClusterError(
                f"of {tally.due} orders at {orders_per_second:g}/s only {len(took)} came through: "
                f"{dict(tally.refused)} refused, {dict(tally.failed)} failed"
            )
        return percentiles_ms([took])

    async def sustainable(self) -> float:
        """Return how many orders a second clients without pause get through."""
        began_s = time.monotonic()
        tally = await self._clients.saturate(clients=_SATURATING_CLIENTS, seconds=self._seconds)
        took, _ = await self._heard(tally)
        return len(took) / (time.monotonic() - began_s)

    async def overload(
        self, factor: float, sustainable: float, light: float, before_ms: dict[str, float]
    ) -> Overload:
        """Hold one overload, and the light load five seconds after it."""
        rate = factor * sustainable
        tally = await self._clients.hold(orders_per_second=rate, seconds=self._seconds)
        ended_s = time.monotonic()
        took, unheard = await self._heard(tally)
        behind_s = time.monotonic() - ended_s
        await asyncio.sleep(max(0.0, REST_S - behind_s))
        after = await self._clients.hold(orders_per_second=light, seconds=self._seconds)
        after_took, _ = await self._heard(after)
        return outcome(
            tally,
            took,
            factor=factor,
            orders_per_second=rate,
            seconds=self._seconds,
            unheard=unheard,
            behind_s=behind_s,
            before_ms=before_ms,
            after_ms=percentiles_ms([after_took]),
            lost_after=after.due - len(after_took),
        )

    async def _heard(self, tally: Tally) -> tuple[np.ndarray, int]:
        """Return what the ways of accepted orders took, and how many had no end in a minute."""
        ways = Ways()
        ways.sent(tally.sent_us)
        await drain(self._witness, ways)
        return ways.took_us(), ways.unheard


def outcome(
    tally: Tally,
    took_us: np.ndarray,
    *,
    factor: float,
    orders_per_second: float,
    seconds: float,
    unheard: int,
    behind_s: float,
    before_ms: dict[str, float],
    after_ms: dict[str, float],
    lost_after: int,
) -> Overload:
    """Return what an overload comes to.

    It is as it should be where accepted orders were heard of within `EVENT_P99_MS_MAX`, all others
    were refused with Retry-After, and the platform was as fast as before after it.
    """
    sent = tally.due - tally.unsent
    event_ms = percentiles_ms([took_us])
    as_fast = not lost_after and is_as_fast(before_ms, after_ms, factor=_FACTOR, slack_ms=_SLACK_MS)
    return Overload(
        factor=factor,
        orders_per_second=round(orders_per_second, 1),
        sent_per_second=round(sent / seconds, 1),
        accepted_per_second=round(len(tally.sent_us) / seconds, 1),
        due=tally.due,
        unsent=tally.unsent,
        accepted=len(tally.sent_us),
        unheard=unheard,
        refused_share=round(tally.refused.total() / max(sent, 1), 4),
        refusals=dict(tally.refused),
        silent_refusals=tally.silent_refusals,
        failures=dict(tally.failed),
        event_ms=event_ms,
        answer_ms=percentiles_ms([np.array(tally.accepted_us, np.int64)]),
        refusal_ms=percentiles_ms([np.array(tally.refused_us, np.int64)]),
        behind_s=round(behind_s, 2),
        after_ms=after_ms,
        lost_after=lost_after,
        as_fast_as_before=as_fast,
        ok=(
            bool(tally.sent_us)
            and event_ms["p99"] <= EVENT_P99_MS_MAX
            and as_fast
            and not (unheard or tally.failed or tally.silent_refusals)
        ),
    )
