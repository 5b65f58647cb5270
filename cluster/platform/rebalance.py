"""Moving pairs between nodes: the new actor is made ready beside the old one, then takes over.

A pair is a fold of its log, so nothing has to be handed over: the new actor gets a copy of the
book while the old one goes on trading; when the old one is ended, the router finds the new one,
asks where it stands and sends it the rest of the log.
"""

import asyncio
import time
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence

import msgspec
import numpy as np
import ray

from actors.book.market import Market
from actors.book.records import COMMAND_DTYPE
from actors.book.vocabulary import CommandKind
from actors.log.commands import KafkaCommandLog
from actors.pair.builder import pair_actor
from actors.pair.ports import PairInterface
from actors.platform.topology import Topology
from actors.remote.find import find_actor, generations, pair_actor_name
from actors.remote.handle import Handle, passed_on
from cluster.data.state import RunState
from cluster.errors import DeployError
from cluster.platform.nodes import actor_places, alive_nodes, ask
from cluster.platform.runtime import NAMESPACE, connect

_TAKE_OVER_S = 30.0
_POLL_S = 0.005


class Move(msgspec.Struct, frozen=True, kw_only=True):
    """One actor's move; `stopped_ms` is how long a command waited that came at its start.

    `prepared_ms` is how long the new actor took to be ready, while the old one went on trading.
    """

    pairs: list[str]
    source: str
    target: str
    prepared_ms: float
    stopped_ms: float


async def rebalance(state: RunState, topology: Topology) -> list[Move]:
    """Even the pairs' actors out over the nodes that take work; return the moves.

    They are made one after the other.
    Raises DeployError where an actor does not answer.
    """
    connect(state.ray_address)
    try:
        nodes = [node.node_id for node in alive_nodes() if node.takes_pairs]
        places = actor_places(topology)
        steps = plan(places, nodes)
        if not steps:
            return []
        log = KafkaCommandLog(
            bootstrap=state.kafka_bootstrap,
            topology=topology,
            pending_commands=len(topology),
            client_id="forkast-rebalance",
        )
        await log.start()
        try:
            return [
                await _move(actor, topology.actors[actor], places[actor], target, log)
                for actor, target in steps
            ]
        finally:
            await log.stop()
    finally:
        ray.shutdown()


def plan(places: Mapping[str, str], nodes: Sequence[str]) -> list[tuple[str, str]]:
    """Return the fewest (actor, node) moves after which no two nodes differ by more than one."""
    held: dict[str, list[str]] = defaultdict(list)
    for pair, node in places.items():
        held[node].append(pair)
    load = Counter({node: len(held[node]) for node in nodes})
    strays = [pair for node, pairs in held.items() if node not in load for pair in pairs]
    steps = []
    for pair in strays:
        target = min(load, key=lambda node: load[node])
        steps.append((pair, target))
        load[target] += 1
    while load:
        source = max(load, key=lambda node: load[node])
        target = min(load, key=lambda node: load[node])
        if load[source] - load[target] <= 1:
            break
        steps.append((held[source].pop(), target))
        load[source] -= 1
        load[target] += 1
    return steps


async def _move(
    actor: str, markets: Sequence[Market], source: str, target: str, log: KafkaCommandLog
) -> Move:
    began = time.perf_counter()
    name = pair_actor_name(actor)
    pairs = [market.pair for market in markets]
    old: Handle[PairInterface] = find_actor(name, NAMESPACE)
    new = pair_actor(
        ask(old.submit(PairInterface.config)),
        actor=actor,
        namespace=NAMESPACE,
        generation=generations(name, NAMESPACE)[0] + 1,
        node_id=target,
    )
    try:
        ask(new.submit(PairInterface.ping))
        # Straight from actor to actor. The first copy warms the new one up and may take long;
        # the second is as fresh as can be.
        for pair in pairs * 2:
            book = old.submit(PairInterface.export, pair)
            ask(new.submit(PairInterface.adopt, pair, passed_on(book)))
    except DeployError:
        new.end()
        raise
    prepared = time.perf_counter()
    old.end()
    await asyncio.gather(*(_until_it_trades(market, new, log) for market in markets))
    done = time.perf_counter()
    return Move(
        pairs=pairs,
        source=source,
        target=target,
        prepared_ms=round((prepared - began) * 1e3, 1),
        stopped_ms=round((done - prepared) * 1e3, 1),
    )


async def _until_it_trades(
    market: Market, actor: Handle[PairInterface], log: KafkaCommandLog
) -> None:
    """Write a clock command, which changes nothing but time, and wait until it is applied."""
    command = np.zeros(1, COMMAND_DTYPE)
    command["kind"] = CommandKind.CLOCK
    command["time_us"] = time.time_ns() // 1_000
    offset = await log.append(market, command)
    deadline = time.monotonic() + _TAKE_OVER_S
    while ask(actor.submit(PairInterface.position, market.pair)).next_offset <= offset:
        if time.monotonic() > deadline:
            raise DeployError(f"no router has followed {market.pair} to its new node")
        await asyncio.sleep(_POLL_S)
