"""Embedded servers, all three as one: started beside each other, stopped together."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

import structlog

from actors.platform.config import Servers
from cluster.embedded.kafka import EmbeddedKafka
from cluster.embedded.kafka_artifacts import Progress
from cluster.embedded.kafka_broker import KafkaBroker
from cluster.embedded.postgres import EmbeddedPostgres
from cluster.embedded.process import ServerProcess
from cluster.embedded.valkey import EmbeddedValkey

_log = structlog.get_logger()

_WATCH_EVERY_S = 0.25
_Server = KafkaBroker | EmbeddedPostgres | EmbeddedValkey


class EmbeddedServers:
    """Run the servers whose address is not given; data and logs lie under `data`.

    They listen on `host`. `kafka_brokers` is 1 or 3, or 0 for as many as the data were made with;
    without `kafka` there is no broker, whether or not its address is given.
    """

    def __init__(
        self,
        data: Path,
        *,
        host: str = "127.0.0.1",
        postgres_url: str = "",
        redis_url: str = "",
        kafka_bootstrap: str = "",
        kafka: bool = True,
        kafka_brokers: int = 0,
        progress: Progress = lambda _: None,
    ) -> None:
        data = data.resolve()
        logs = data / "logs"
        self._progress = progress
        self._given = (kafka_bootstrap, postgres_url, redis_url)
        self.postgres = (
            None
            if postgres_url
            else EmbeddedPostgres(directory=data / "postgres", logs=logs, host=host)
        )
        self.valkey = (
            None if redis_url else EmbeddedValkey(directory=data / "valkey", logs=logs, host=host)
        )
        self.kafka = (
            None
            if kafka_bootstrap or not kafka
            else EmbeddedKafka(
                directory=data / "kafka",
                logs=logs,
                progress=progress,
                host=host,
                brokers=kafka_brokers,
            )
        )

    async def start(self) -> Servers:
        """Start all at once and return their addresses; stop all where one fails.

        Call from the main thread: the servers end when the thread that started them does.
        Raises ServerStartError.
        """
        starts = [
            self._announced(server.start(), name)
            for server, name in (
                (self.kafka, "Kafka"),
                (self.postgres, "Postgres"),
                (self.valkey, "Valkey"),
            )
            if server is not None
        ]
        try:
            async with asyncio.TaskGroup() as group:
                for start in starts:
                    group.create_task(start)
        except BaseExceptionGroup as errors:
            await self.stop()
            raise errors.exceptions[0] from None
        except BaseException:
            await self.stop()
            raise
        kafka_bootstrap, postgres_url, redis_url = self._given
        return Servers(
            kafka_bootstrap=self.kafka.bootstrap if self.kafka else kafka_bootstrap,
            postgres_url=self.postgres.url if self.postgres else postgres_url,
            redis_url=self.valkey.url if self.valkey else redis_url,
        )

    async def watch(self, restarted: Callable[[], None]) -> None:
        """Start servers that have ended again, on their ports and data, until cancelled.

        Call from the main thread, after `start`. `restarted` is told of each process that is new,
        and told again where it raises, so that it may fail while the disk is full.
        """
        brokers = self.kafka.brokers if self.kafka is not None else ()
        servers = [one for one in (self.postgres, self.valkey) if one is not None]
        await asyncio.gather(*(self._keep(server, restarted) for server in (*brokers, *servers)))

    async def stop(self) -> None:
        """Stop what was started; returns when all processes have ended."""
        stops = [process.stop(timeout_s=20) for process in self.processes()]
        await asyncio.gather(*stops)

    def processes(self) -> list[ServerProcess]:
        """Return the processes that were started."""
        found = [one.process for one in (self.postgres, self.valkey) if one is not None]
        brokers = self.kafka.processes() if self.kafka is not None else []
        return [*(process for process in found if process.pid), *brokers]

    async def _keep(self, server: _Server, restarted: Callable[[], None]) -> None:
        told = True
        while True:
            await asyncio.sleep(_WATCH_EVERY_S)
            process = server.process
            if process is None or (process.running() and told):
                continue
            try:
                if not process.running():
                    _log.warning("server_ended", server=process.name, code=process.code())
                    told = False
                    await server.start()
                    self._progress(f"{process.name} had ended and runs again")
                restarted()
                told = True
            except Exception as error:  # the watch must outlive whatever it meets
                _log.warning("server_not_restarted", server=process.name, why=str(error))

    async def _announced(self, start: Awaitable[None], name: str) -> None:
        await start
        self._progress(f"{name} is ready")
