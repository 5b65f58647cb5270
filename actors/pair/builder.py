"""Where Ray comes in: a host of pairs becomes a detached, named actor.

A restart runs nothing but the constructor, so an actor starts its own work there.
"""

import atexit

import ray
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

from actors.pair.host import PairHost
from actors.pair.ports import PairInterface
from actors.platform.config import PairConfig
from actors.platform.logs import configure_logs
from actors.platform.memory import settle
from actors.remote.find import own_node_id, pair_actor_name
from actors.remote.handle import Handle
from actors.remote.make import standing_actor
from actors.stream.endpoint import Endpoint, socket_folder
from actors.stream.thread import ServingThread

# An actor waits most of the time: Ray must not run out of its two CPUs with ten of them.
_PAIR_CPUS = 0.01


class PairActorOnRay(PairHost):
    """One pair, or the quiet ones that share an actor.

    Ray calls it on the process's main thread, and routers by stream on one of its own.
    """

    def __init__(self, config: PairConfig) -> None:
        configure_logs(
            config.log_format, pairs={market.market_id: market.pair for market in config.markets}
        )
        super().__init__(config)
        self._stream = ServingThread(
            self.serve,
            token=config.stream_token,
            node_id=own_node_id(),
            host=ray.util.get_node_ip_address(),  # type: ignore[no-untyped-call]
            ports=config.stream_ports,
            folder=socket_folder(),
        )
        atexit.register(self._stream.stop)
        settle()

    def endpoint(self) -> Endpoint:
        """Return where the actor takes `PairRequest`s by stream."""
        return self._stream.endpoint


def pair_actor(
    config: PairConfig, *, actor: str, namespace: str, generation: int = 0, node_id: str = ""
) -> Handle[PairInterface]:
    """Return the handle of an actor of `topology.actors`, making it where there is none.

    As `standing_actor`; its state comes back from snapshot and log. Actors spread over the nodes;
    `node_id` asks for one, for as long as it is there.
    """
    return standing_actor(
        PairActorOnRay,
        config,
        name=pair_actor_name(actor, generation),
        namespace=namespace,
        num_cpus=_PAIR_CPUS,
        max_concurrency=1,
        scheduling_strategy=(
            NodeAffinitySchedulingStrategy(node_id, soft=True) if node_id else "SPREAD"
        ),
    )
