"""The machines under a cluster: they lose power, stand still, and lose their links."""

import asyncio

import psutil

from cluster.errors import ServerStartError
from cluster.tools.chaos.plan import Action, Fault, Target
from cluster.tools.chaos.signals import frozen
from cluster.tools.namespaces import Machine
from cluster.tools.ray_nodes import RayNode, RayNodes

_WATCH_EVERY_S = 0.25


class Workers:
    """The nodes of a cluster that carry pairs, each on a machine of its own.

    As on any machine, an init process starts the node again that has ended: that is `watch`.
    """

    def __init__(self, nodes: RayNodes) -> None:
        self._nodes = nodes
        self._down: set[int] = set()

    def processes(self) -> list[psutil.Process]:
        """Return every process of every node, the head's too."""
        return self._nodes.processes()

    def machine_of(self, process: psutil.Process) -> Machine | None:
        """Return the machine on which a process runs, None for the head's."""
        found = (node.machine for node in self._nodes.workers if process in node.family())
        return next(found, None)

    async def watch(self) -> None:
        """Start nodes that ended by themselves, as those do that were cut off, until cancelled."""
        while True:
            await asyncio.sleep(_WATCH_EVERY_S)
            for node in self._nodes.workers:
                if not node.running() and node.port not in self._down:
                    await _restart(node)

    async def hit(self, fault: Fault) -> bool:
        """Do a fault to a node or its link; say whether there was one that was not down."""
        up = [one for one in self._nodes.workers if one.running() and one.port not in self._down]
        if not up:
            return False
        node = up[int(fault.pick * len(up))]
        machine = _machine(node)
        if fault.target is Target.NODE and fault.action is Action.KILL:
            await self._lose_power(node, fault.lasts_s)
            return True
        match fault.action:
            case Action.FREEZE:
                state = frozen(node.family())
            case Action.CUT:
                state = machine.cut()
            case _:
                state = machine.slowed()
        with state:
            await asyncio.sleep(fault.lasts_s)
        return True

    async def _lose_power(self, node: RayNode, lasts_s: float) -> None:
        """End a node without a farewell to anybody, and start it again."""
        self._down.add(node.port)
        try:
            # Without a link, nobody hears that its connections are closed.
            with _machine(node).cut():
                await asyncio.to_thread(node.kill)
                await asyncio.sleep(lasts_s)
            await _restart(node)
        finally:
            self._down.remove(node.port)


async def _restart(node: RayNode) -> None:
    """Start a node; where its head is not ready for it, the watch will try again."""
    try:
        await asyncio.to_thread(node.kill)
        await node.start()
    except ServerStartError:
        await asyncio.to_thread(node.kill)


def _machine(node: RayNode) -> Machine:
    if node.machine is None:
        raise ValueError("the node has no machine of its own")
    return node.machine
