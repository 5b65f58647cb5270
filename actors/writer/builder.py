"""Where Ray comes in: the Postgres writer becomes a detached, named actor."""

import asyncio

from actors.platform.config import WriterConfig
from actors.platform.logs import configure_logs
from actors.platform.memory import settle
from actors.platform.ray_metrics import RayMetrics
from actors.platform.topology import Topology
from actors.remote.handle import Handle
from actors.remote.make import standing_actor
from actors.writer.ports import WriterInterface
from actors.writer.status import WRITER_NAME, writer_metrics
from actors.writer.writer import PostgresWriter

_REPORT_S = 1.0


class _WriterActor(PostgresWriter):
    """The writer at work from its construction on."""

    def __init__(self, config: WriterConfig) -> None:
        configure_logs(config.log_format, pairs=config.topology.pairs)
        super().__init__(config)
        self.start()
        self._reporting = asyncio.get_running_loop().create_task(self._export())
        settle()

    async def follow(self, topology: Topology) -> None:
        """Go on with these markets, and name them in the logs."""
        configure_logs(self._config.log_format, pairs=topology.pairs)
        await super().follow(topology)

    async def _export(self) -> None:
        metrics = RayMetrics()
        while True:
            await asyncio.sleep(_REPORT_S)
            metrics.export(writer_metrics(await self.status()))


def writer_actor(config: WriterConfig, *, namespace: str) -> Handle[WriterInterface]:
    """Return the handle of a namespace's Postgres writer; see `standing_actor`."""
    return standing_actor(
        _WriterActor,
        config,
        name=WRITER_NAME,
        namespace=namespace,
        num_cpus=0,
        max_concurrency=16,
    )
