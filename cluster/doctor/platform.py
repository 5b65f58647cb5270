"""A running platform: what its gateway says of itself, and the nodes of its Ray."""

import httpx
import msgspec

from actors.platform.topology import Topology
from cluster.data.state import RunState
from cluster.doctor.findings import Finding, ok, warning, wrong

_ANSWER_S = 15.0


class _Readiness(msgspec.Struct):
    reasons: dict[str, str]


def check_platform(state: RunState) -> list[Finding]:
    """Ask the gateway whether all is ready."""
    area = "platform"
    try:
        answer = httpx.get(f"{state.url}/ready", timeout=_ANSWER_S, trust_env=False)
        reasons = msgspec.json.decode(answer.content, type=_Readiness).reasons
    except (httpx.HTTPError, msgspec.MsgspecError) as error:
        remedy = "`forkast logs gateway`; if nothing moves, `forkast down` and `up`"
        return [wrong(area, "answers", f"{state.url}: {error!r}", remedy)]
    if not reasons:
        return [ok(area, "ready", state.url)]
    return [
        wrong(area, name, why, f"`forkast logs {name.split(':')[0].split()[-1]}`")
        for name, why in reasons.items()
    ]


def check_nodes(state: RunState, topology: Topology) -> list[Finding]:
    """Look at every node of a cluster that an address names, and at how the pairs lie on them."""
    from cluster.platform.nodes import read_nodes
    from cluster.platform.runtime import connect, disconnect

    area = "Ray"
    try:
        connect(state.ray_address)
        try:
            nodes = read_nodes(topology)
        finally:
            disconnect()
    except Exception as error:  # Ray raises whatever its parts raise
        remedy = "look at the head: `ray status`; the actors outlive it for a while"
        return [wrong(area, "answers", f"{state.ray_address}: {error}", remedy)]
    alive = [node for node in nodes if node.alive]
    found = [
        ok(area, f"node {node.node_id[:8]}", f"{node.address}, {len(node.pairs)} pairs")
        for node in alive
    ]
    found += [
        warning(area, f"node {node.node_id[:8]}", f"{node.address} is dead", "start it again")
        for node in nodes
        if not node.alive
    ]
    loads = [len(node.pairs) for node in alive if node.takes_pairs]
    if not loads:
        remedy = "start workers: `ray start --address=...`"
        found.append(wrong(area, "spread", "no node takes pairs", remedy))
    elif max(loads) - min(loads) > 1:
        told = f"between {min(loads)} and {max(loads)} pairs a node"
        found.append(warning(area, "spread", told, "run `forkast rebalance`"))
    return found
