"""Where Ray comes in: the Postgres writer becomes a detached, named actor."""

import asyncio
from typing import Any

import ray

from actors.platform.config import Platform
from actors.platform.logs import configure_logs
from actors.platform.ray_metrics import RayFigures
from actors.writer.status import WRITER_NAME, writer_figures
from actors.writer.writer import PostgresWriter

_REPORT_S = 1.0


class _WriterActor(PostgresWriter):
    """The writer at work from its construction on."""

    def __init__(self, platform: Platform) -> None:
        configure_logs(platform.log_format, pairs=platform.topology.pairs)
        super().__init__(platform)
        self.start()
        self._reporting = asyncio.get_running_loop().create_task(self._export())

    async def _export(self) -> None:
        figures = RayFigures()
        while True:
            await asyncio.sleep(_REPORT_S)
            figures.export(writer_figures(await self.status()))


def writer_actor(platform: Platform) -> Any:
    """Return the handle of the platform's Postgres writer, making it where there is none.

    One supervisor alone may call this, as for `pair_actor`.
    """
    try:
        return ray.get_actor(WRITER_NAME, namespace=platform.namespace)
    except ValueError:
        pass
    return (
        ray.remote(_WriterActor)
        .options(
            name=WRITER_NAME,
            namespace=platform.namespace,
            lifetime="detached",
            num_cpus=0,
            max_restarts=-1,
            max_task_retries=0,
            max_concurrency=16,
        )
        .remote(platform)
    )
