import os
import signal
from uuid import uuid4

from actors.platform.config import Servers
from actors.platform.errors import WriterUnavailableError
from actors.writer.builder import writer_actor
from actors.writer.client import RemoteWriter
from actors.writer.status import WriterStatus
from cluster.plan import Platform
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
        config, namespace = platform.writer, platform.namespace
        handle = writer_actor(config, namespace=namespace)
        assert writer_actor(config, namespace=namespace) == handle
        writer = RemoteWriter(namespace=namespace)
        statuses: list[WriterStatus] = []

        async def is_connected_in_another_process() -> bool:
            try:
                statuses.append(await writer.status())
            except WriterUnavailableError:
                return False
            return statuses[-1].connected and statuses[-1].process_id != killed

        killed = 0
        try:
            await until(is_connected_in_another_process)
            await writer.ping()
            killed = statuses[-1].process_id
            os.kill(killed, signal.SIGKILL)
            await until(is_connected_in_another_process)
        finally:
            handle.end()
