"""What a gateway that ends means for the clients of those that do not."""

import asyncio

import psutil
import pytest
import socketio

from cluster.tools.platforms import RunningPlatform
from tests.beds.waiting import until

# Longer than Serve's proxy needs to end a worker that it has replaced, were it to cut its clients.
_LIVES_ON_S = 12.0


async def test_a_websocket_outlives_a_gateway_that_it_has_nothing_to_do_with(
    running_platform: RunningPlatform,
) -> None:
    cut = asyncio.Event()

    async def end(_: str) -> None:
        cut.set()

    client = socketio.AsyncClient(reconnection=False)
    client.on("disconnect", end)
    await client.connect(running_platform.url, transports=["websocket"])
    try:
        before = _named(running_platform, "haproxy")
        for gateway in _named(running_platform, "ServeReplica:gateway"):
            gateway.kill()

        async def is_replaced() -> bool:
            return bool(await asyncio.to_thread(_named, running_platform, "haproxy") - before)

        await until(is_replaced, what="another worker of the proxy")
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(cut.wait(), _LIVES_ON_S)
        answer = await client.call("subscribe", {"room": "BTC-USD"}, timeout=10)
        assert answer["room"] == "BTC-USD"
    finally:
        await client.disconnect()


def _named(platform: RunningPlatform, name: str) -> set[psutil.Process]:
    """Return the platform's processes whose command has a name in it."""
    found = set()
    for process in platform.family():
        try:
            if name in " ".join(process.cmdline()):
                found.add(process)
        except psutil.Error:
            continue
    return found
