"""What Ray's head keeps of calls: of those to our standing actors, nothing."""

import asyncio
import uuid
from typing import Any

import ray

from actors.remote.find import find_actor
from actors.remote.make import standing_actor
from tests.beds.waiting import until


class Standing:
    """An actor made as ours are."""

    def __init__(self, config: object) -> None:
        del config

    def touch(self) -> int:
        return 1


class Plain(Standing):
    """The same, made as Ray would have it."""


async def test_calls_of_a_standing_actor_leave_no_record_at_rays_head(ray_session: str) -> None:
    namespace = f"{ray_session}-{uuid.uuid4().hex[:8]}"
    made = standing_actor(Standing, None, name="standing", namespace=namespace, num_cpus=0)
    plain: Any = ray.remote(Plain).options(num_cpus=0).remote(None)
    found = find_actor("standing", namespace)
    try:
        await asyncio.gather(
            *(handle.submit(Standing.touch) for handle in (made, found) for _ in range(20))
        )
        await plain.touch.remote()

        async def plain_is_recorded() -> bool:
            return "Plain.touch" in _recorded()

        await until(plain_is_recorded, what="Ray has a call on record")
        assert "Standing.touch" not in _recorded()
    finally:
        made.end()
        ray.kill(plain)


def _recorded() -> set[str]:
    """Return the names of the calls that Ray's head has on record."""
    from ray._private.state import state

    return {event.task_info.name for event in state._get_all_task_events()}
