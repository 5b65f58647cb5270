"""A platform of its own markets on nodes of Ray, with the session's servers."""

import asyncio
from collections.abc import Sequence
from pathlib import Path

from actors.platform.config import Servers
from cluster.embedded.process import free_port
from cluster.tools import platforms
from cluster.tools.markets_file import write_markets
from cluster.tools.platforms import RunningPlatform
from cluster.tools.ray_nodes import RayNodes


async def start_platform(
    servers: Servers,
    nodes: RayNodes,
    folder: Path,
    *,
    pairs: Sequence[str],
    market_ids: Sequence[int],
    workers: int,
) -> RunningPlatform:
    """Start `forkast up` with data in `folder`; a second start there goes on with them.

    The market ids follow one another, as leased ones do.
    """
    markets = write_markets(folder, pairs, first_id=market_ids[0])
    return await asyncio.to_thread(
        platforms.start,
        folder / "data",
        "--no-web",
        "--markets",
        str(markets),
        port=free_port(),
        environment={
            "FORKAST_POSTGRES_URL": servers.postgres_url,
            "FORKAST_REDIS_URL": servers.redis_url,
            "FORKAST_KAFKA_BOOTSTRAP": servers.kafka_bootstrap,
            "FORKAST_RAY_ADDRESS": nodes.address,
            "FORKAST_GATEWAY_REPLICAS": "2",
            "FORKAST_MIN_NODES": str(workers),
            **nodes.access,
        },
    )
