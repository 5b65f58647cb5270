"""The head of a cluster dies and comes back: what lived on the workers has lived on."""

import asyncio
import sys
import time
import uuid

from actors.config import Servers
from tests.integration.nodes.ray_nodes import RayNodes

_MAKE = """
class Pair:
    def process(self):
        import os
        return os.getpid()
pair = ray.remote(Pair).options(name="pair:HEAD-USD", lifetime="detached", num_cpus=0.01).remote()
print(ray.get(pair.process.remote(), timeout=60))
"""
_FIND = """
print(ray.get(ray.get_actor("pair:HEAD-USD").process.remote(), timeout=60))
"""


async def test_a_detached_actor_is_found_again_by_a_head_that_was_lost(servers: Servers) -> None:
    nodes = RayNodes(redis_url=servers.redis_url, storage=f"head-{uuid.uuid4().hex[:8]}")
    try:
        head = await nodes.start_head()
        await nodes.start_worker()
        made = await asyncio.to_thread(nodes.run, _MAKE)
        lost_s = time.monotonic()
        await asyncio.to_thread(head.kill)
        await nodes.start_head()
        found = await asyncio.to_thread(nodes.run, _FIND)
        sys.stdout.write(f"found again {time.monotonic() - lost_s:.1f} s after the head's death\n")
        assert found == made
    finally:
        await nodes.stop()
