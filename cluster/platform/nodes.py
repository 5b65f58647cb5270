"""The nodes of a cluster of Ray's, and which pairs live where."""

from collections import defaultdict
from collections.abc import Mapping
from typing import Any, TypeVar

import msgspec
import ray
from ray import ObjectRef

from actors.pair.ports import PairInterface
from actors.platform.errors import ActorUnavailableError
from actors.platform.topology import Topology
from actors.remote import handle
from actors.remote.find import find_actor, own_node_id, pair_actor_name
from actors.remote.handle import Handle
from cluster.errors import DeployError
from cluster.platform.runtime import NAMESPACE

_ANSWER_S = 60.0

_R = TypeVar("_R")


class Node(msgspec.Struct, frozen=True, kw_only=True):
    """One node; `cpus` is 0 where no pair may live, `port` is its raylet's."""

    node_id: str
    address: str
    port: int
    alive: bool
    cpus: float
    memory_bytes: int
    pairs: list[str]

    @property
    def takes_pairs(self) -> bool:
        """Say whether a pair may be put here."""
        return self.alive and self.cpus > 0


def read_nodes(topology: Topology) -> list[Node]:
    """Return all nodes with their pairs; needs an initialised Ray. Raises DeployError."""
    pairs: dict[str, list[str]] = defaultdict(list)
    for pair, node_id in pair_places(topology).items():
        pairs[node_id].append(pair)
    return [_node(entry, pairs[entry["NodeID"]]) for entry in _entries()]


def alive_nodes() -> list[Node]:
    """Return the nodes that are alive, without asking where the pairs are."""
    return [_node(entry, []) for entry in _entries() if entry["Alive"]]


def pair_places(topology: Topology) -> dict[str, str]:
    """Return the node id of each pair. Raises DeployError."""
    places = actor_places(topology)
    return {market.pair: places[topology.actor(market.pair)] for market in topology}


def actor_places(topology: Topology) -> dict[str, str]:
    """Return the node id of each of `topology.actors`. Raises DeployError."""
    places = {}
    for actor in topology.actors:
        try:
            found: Handle[PairInterface] = find_actor(pair_actor_name(actor), NAMESPACE)
        except ValueError as error:
            raise DeployError(f"{actor} has no actor now: try again later") from error
        places[actor] = found.run(lambda _: own_node_id())
    return {actor: ask(reference) for actor, reference in places.items()}


def ask(reference: ObjectRef[_R]) -> _R:
    """Return an actor's answer. Raises DeployError."""
    try:
        return handle.ask(reference, timeout_s=_ANSWER_S)
    except ActorUnavailableError as error:
        raise DeployError(str(error)) from error


def _entries() -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = ray.nodes()  # type: ignore[no-untyped-call]
    return found


def _node(entry: Mapping[str, Any], pairs: list[str]) -> Node:
    resources = entry["Resources"]
    return Node(
        node_id=entry["NodeID"],
        address=entry["NodeManagerAddress"],
        port=entry["NodeManagerPort"],
        alive=entry["Alive"],
        cpus=resources.get("CPU", 0.0),
        memory_bytes=int(resources.get("memory", 0)),
        pairs=pairs,
    )
