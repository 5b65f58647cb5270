"""The hub as Ray Serve sees it: started in the replica's loop, watched, stopped."""

import asyncio

from starlette.types import ASGIApp

from actors.platform.config import Platform
from actors.platform.logs import configure_logs
from analytics.client import RemoteCandles
from api.exchange.gateway import open_gateway
from api.exchange.metrics import GatewayMetrics
from api.exchange.pairs import RemotePairViews
from api.hub.desk import GatewayDesk
from api.hub.hub import Hub
from api.hub.reporter import HubReporter
from api.hub.server import HubServer

# So many levels of one pair may wait for a slow reader of the depth, as a share of the book.
_LEVELS_WAITING = 4


class HubReplica:
    """Hold one hub for the life of a replica."""

    async def __init__(self, platform: Platform) -> None:  # type: ignore[misc]
        configure_logs(platform.log_format, pairs=platform.topology.pairs)
        candles = RemoteCandles(namespace=platform.namespace)
        self._hub = Hub(platform, candles=candles)
        self._desk = GatewayDesk(
            lambda: open_gateway(
                platform,
                metrics=GatewayMetrics(platform.topology),
                pairs=RemotePairViews(topology=platform.topology, namespace=platform.namespace),
                candles=candles,
            )
        )
        self._server = HubServer(
            self._hub,
            desk=self._desk,
            allowed_origins=platform.allowed_origins,
            client_messages=platform.limits.hub_client_messages,
            levels_max=_LEVELS_WAITING * platform.limits.depth_levels,
        )
        await self._hub.start()
        self._reporter = HubReporter(self._hub, redis_url=platform.servers.redis_url)
        self._reporting = asyncio.create_task(self._reporter.run(), name="hub figures")

    def __serve_build_asgi_app__(self) -> ASGIApp:
        """Return the application that the replica serves."""
        return self._server.asgi

    def check_health(self) -> None:
        """Raise when the hub has to be replaced."""
        self._hub.check_health()

    async def __del__(self) -> None:
        # Serve awaits this on a graceful stop.
        self._reporting.cancel()
        await asyncio.gather(self._reporting, return_exceptions=True)
        await self._reporter.close()
        await self._server.stop()
        await self._hub.stop()
        await self._desk.close()
