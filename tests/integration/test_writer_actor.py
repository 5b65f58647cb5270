import os
import signal
from uuid import uuid4

import ray
from ray.exceptions import RayError

from actors.platform.config import Platform, Servers
from actors.writer.builder import writer_actor
from actors.writer.status import WriterStatus
from tests.beds.writer import Bed, until


async def test_a_killed_writer_comes_back_to_work_by_itself(
    servers: Servers, ray_session: str
) -> None:
    async with Bed.made(servers) as bed:
        platform = Platform(
            servers=bed.servers,
            topology=bed.topology,
            data_directory="",
            namespace=f"{ray_session}-{uuid4().hex[:8]}",
        )
        handle = writer_actor(platform)
        assert writer_actor(platform) == handle
        statuses: list[WriterStatus] = []

        async def is_connected_in_another_process() -> bool:
            try:
                status: WriterStatus = await handle.status.remote()
            except RayError:
                return False
            statuses.append(status)
            return status.connected and status.process_id != killed

        killed = 0
        try:
            await until(is_connected_in_another_process)
            assert await handle.ping.remote() == "writer"
            killed = statuses[-1].process_id
            os.kill(killed, signal.SIGKILL)
            await until(is_connected_in_another_process)
        finally:
            ray.kill(handle)
