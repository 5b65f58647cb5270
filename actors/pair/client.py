"""The pairs' books seen from another process, through Ray: whichever is asked for."""

from actors.pair.messages import Fingerprint
from actors.pair.ports import PairInterface
from actors.pair.remote import answered, pair_host
from actors.platform.messages import DepthSnapshot
from actors.platform.topology import Topology
from actors.remote.actor import RemoteActor


class RemotePairs:
    """All pairs of a platform, for whoever looks at their books; needs an initialised Ray.

    Everything raises PairUnavailableError; an actor that gave no answer is found anew by the next
    call.
    """

    def __init__(self, *, topology: Topology, namespace: str, timeout_s: float = 3.0) -> None:
        self._actors = {
            name: pair_host(name, namespace=namespace, timeout_s=timeout_s)
            for name in topology.actors
        }
        self._topology = topology

    async def depth(self, pair: str, limit: int) -> DepthSnapshot:
        """Return at most `limit` levels of each side, best first."""
        return await answered(self._of(pair).call(PairInterface.depth, pair, limit))

    async def orders(self, pair: str, limit: int) -> tuple[bytes, bytes]:
        """Return bids' and asks' order images (`EVENT_DTYPE` bytes), in priority."""
        return await answered(self._of(pair).call(PairInterface.orders, pair, limit))

    async def fingerprint(self, pair: str) -> Fingerprint:
        """Return the pair's position and state hash of one moment."""
        return await answered(self._of(pair).call(PairInterface.fingerprint, pair))

    async def ping(self, actor: str) -> None:
        """Return when one of `topology.actors` answers."""
        await answered(self._actors[actor].call(PairInterface.ping))

    def _of(self, pair: str) -> RemoteActor[PairInterface]:
        return self._actors[self._topology.actor(pair)]
