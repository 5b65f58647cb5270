"""The hub as Ray Serve sees it: started in the replica's loop, watched, stopped."""

import asyncio

from prometheus_client import CollectorRegistry
from starlette.types import ASGIApp

from actors.log.traced import log_of
from actors.platform.config import HubConfig
from actors.platform.logs import configure_logs
from actors.platform.memory import settle
from actors.platform.tasks import end
from actors.platform.trace import Step, Trace
from analytics.client import RemoteCandles
from api.asgi.guard import Guard
from api.exchange.exchange import open_exchange
from api.exchange.pairs import RemotePairViews
from api.hub.desk import ExchangeDesk
from api.hub.frames import serve_frames
from api.hub.hub import Hub
from api.hub.reporter import HubReporter
from api.hub.server import HubServer

# So many levels of one pair may wait for a slow reader of the depth, as a share of the book.
_LEVELS_WAITING = 4


class HubReplica:
    """Hold one hub for the life of a replica."""

    async def __init__(self, config: HubConfig) -> None:  # type: ignore[misc]
        exchange = config.exchange
        configure_logs(config.log_format, pairs=exchange.topology.pairs)
        # Serve starts the server of this replica after this.
        serve_frames()
        candles = RemoteCandles(namespace=exchange.namespace)
        self._trace = Trace(config.trace) if config.trace else None
        log = log_of(exchange.servers.kafka_bootstrap, trace=self._trace, step=Step.TOLD)
        self._hub = Hub(exchange, candles=candles, log=log)
        self._desk = ExchangeDesk(
            lambda: open_exchange(
                exchange,
                registry=CollectorRegistry(),
                pairs=RemotePairViews(topology=exchange.topology, namespace=exchange.namespace),
                candles=candles,
            )
        )
        self._server = HubServer(
            self._hub,
            desk=self._desk,
            allowed_origins=config.allowed_origins,
            client_messages=exchange.limits.hub_client_messages,
            levels_max=_LEVELS_WAITING * exchange.limits.depth_levels,
        )
        # A poll's messages come as plain text.
        self._asgi = Guard(
            self._server.asgi,
            allowed_origins=config.allowed_origins,
            loopback=config.loopback,
            json_only=False,
        )
        await self._hub.start()
        self._reporter = HubReporter(self._hub, redis_url=exchange.servers.redis_url)
        self._reporting = asyncio.create_task(self._reporter.run(), name="hub metrics")
        settle()

    def __serve_build_asgi_app__(self) -> ASGIApp:
        """Return the application that the replica serves."""
        return self._asgi

    def check_health(self) -> None:
        """Raise when the hub has to be replaced."""
        self._hub.check_health()
        self._desk.check_health()

    async def __del__(self) -> None:
        # Serve awaits this on a graceful stop.
        await end([self._reporting])
        await self._reporter.close()
        await self._server.stop()
        await self._hub.stop()
        await self._desk.close()
        if self._trace is not None:
            self._trace.close()
