"""The named actors that a platform is to have: what each is told, and how it is made."""

from collections.abc import Callable
from dataclasses import dataclass, fields, is_dataclass, replace
from functools import partial
from typing import Any

from actors.pair.builder import pair_actor
from actors.pair.ports import PairInterface
from actors.platform.config import CandlesConfig, PairConfig, WriterConfig
from actors.platform.topology import Topology
from actors.remote.find import pair_actor_name
from actors.remote.handle import Handle
from actors.writer.builder import writer_actor
from actors.writer.status import WRITER_NAME
from analytics.builder import candles_actor
from analytics.client import CANDLES_NAME
from cluster.plan import Platform
from cluster.platform.nodes import alive_nodes

FOLLOWERS = (WRITER_NAME, CANDLES_NAME)


@dataclass(frozen=True, kw_only=True)
class PlannedActor:
    """An actor that a platform is to have; `make` returns the living one where there is one."""

    config: PairConfig | WriterConfig | CandlesConfig
    make: Callable[[], Handle[Any]]

    def is_met_by(self, known: object) -> bool:
        """Say whether an actor that works with the config `known` is the one that is planned."""
        try:
            return not _lacks_fields(known) and known == self.config
        except AttributeError:  # an older build's topology lacks what was added since
            return False

    def news(self, known: object) -> Topology | None:
        """Return the markets that an actor must be told of that works with the config `known`.

        None where that would not make it the one that is planned.
        """
        config = self.config
        if isinstance(config, PairConfig) or not isinstance(known, type(config)):
            return None
        if _lacks_fields(known):
            return None
        led = replace(known, topology=config.topology)
        return config.topology if self.is_met_by(led) else None


def planned_actors(platform: Platform) -> dict[str, PlannedActor]:
    """Return the actors of a platform, by name."""
    namespace = platform.namespace
    writer, candles = platform.writer, platform.candles
    return {
        **{
            pair_actor_name(actor): _planned_pairs(platform, actor, turn)
            for turn, actor in enumerate(platform.topology.actors)
        },
        WRITER_NAME: PlannedActor(
            config=writer, make=partial(writer_actor, writer, namespace=namespace)
        ),
        CANDLES_NAME: PlannedActor(
            config=candles, make=partial(candles_actor, candles, namespace=namespace)
        ),
    }


def _lacks_fields(known: object) -> bool:
    """Say whether a config lacks a field that was added since its build, also within a field.

    A class without slots would answer its default for what the object itself does not hold.
    """
    if not is_dataclass(known):
        return False
    held = getattr(known, "__dict__", None)
    return any(
        not hasattr(known, one.name)
        or (held is not None and one.name not in held)
        or _lacks_fields(getattr(known, one.name))
        for one in fields(known)
    )


def _planned_pairs(platform: Platform, actor: str, turn: int) -> PlannedActor:
    config = platform.pair(actor)

    def make() -> Handle[PairInterface]:
        """Make the actor on the node whose turn it is: Ray's own spread may pick one for all."""
        nodes = sorted(node.node_id for node in alive_nodes() if node.takes_pairs)
        return pair_actor(
            config,
            actor=actor,
            namespace=platform.namespace,
            node_id=nodes[turn % len(nodes)] if nodes else "",
        )

    return PlannedActor(config=config, make=make)
