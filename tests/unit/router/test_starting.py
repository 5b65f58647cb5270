"""A router whose broker is away: it waits for it and is well meanwhile."""

import asyncio
from pathlib import Path

from actors.platform.config import Servers
from actors.router.router import OrderRouter
from actors.router.starting import PatientRouter
from tests.beds.commands import market
from tests.beds.routing import make_platform


async def test_a_router_without_a_broker_is_made_again_until_there_is_one(
    tmp_path: Path, unused_tcp_port: int
) -> None:
    # Serve gives a deployment up for good whose replicas failed to start three times.
    nowhere = f"127.0.0.1:{unused_tcp_port}"
    servers = Servers(kafka_bootstrap=nowhere, postgres_url="", redis_url=f"redis://{nowhere}/0")
    platform = make_platform(servers, [market()], tmp_path)
    made: asyncio.Queue[None] = asyncio.Queue()

    def make() -> OrderRouter:
        made.put_nowait(None)
        return OrderRouter(platform.router(), connect=lambda _: None)  # type: ignore[arg-type, return-value]

    router = PatientRouter(make)
    try:
        for _ in range(3):
            await asyncio.wait_for(made.get(), 30)
            router.check_health()
        assert router.lags() == {}
    finally:
        await router.stop()
