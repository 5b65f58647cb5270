"""Where Ray comes in: a host of pairs becomes a detached, named actor.

A restart runs nothing but the constructor, so an actor starts its own work there.
"""

from typing import Any

import ray
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

from actors.pair.host import PairHost
from actors.platform.config import Platform
from actors.platform.logs import configure_logs
from actors.remote.find import pair_actor_name

# An actor waits most of the time: Ray must not run out of its two CPUs with ten of them.
_PAIR_CPUS = 0.01


class PairActorOnRay(PairHost):
    """One pair, or the quiet ones that share an actor."""

    def __init__(self, platform: Platform, actor: str) -> None:
        configure_logs(platform.log_format, pairs=platform.topology.pairs)
        super().__init__(platform, platform.topology.actors[actor])


def pair_actor(platform: Platform, actor: str, *, generation: int = 0, node_id: str = "") -> Any:
    """Return the handle of an actor of `topology.actors`, making it where there is none.

    One supervisor alone may call this: two creators would race for the name. The actor outlives
    its creator, is restarted for ever, and never runs a call twice; its state comes back from
    snapshot and log. Actors spread over the nodes; `node_id` asks for one, for as long as it is
    there.
    """
    name = pair_actor_name(actor, generation)
    try:
        return ray.get_actor(name, namespace=platform.namespace)
    except ValueError:
        pass
    return (
        ray.remote(PairActorOnRay)
        .options(
            name=name,
            namespace=platform.namespace,
            lifetime="detached",
            num_cpus=_PAIR_CPUS,
            max_restarts=-1,
            max_task_retries=0,
            max_concurrency=1,
            scheduling_strategy=(
                NodeAffinitySchedulingStrategy(node_id, soft=True) if node_id else "SPREAD"
            ),
        )
        .remote(platform, actor)
    )
