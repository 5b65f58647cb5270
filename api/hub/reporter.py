"""The hub's own metrics, once a second: to Redis for the gateways, and to Ray's agent."""

import asyncio

import msgspec
import structlog
from redis.asyncio import Redis
from redis.exceptions import RedisError

from actors.platform.channels import HUB_KEY
from actors.platform.messages import HubMetrics
from actors.platform.metrics import Metric
from actors.platform.ray_metrics import RayMetrics
from api.hub.hub import Hub

_log = structlog.get_logger(__name__)
_PERIOD_S = 1.0
# A hub that is gone has no clients.
_FORGOTTEN_S = 10


class HubReporter:
    """Report one hub until cancelled; while Redis is away its gateways know of no clients."""

    def __init__(self, hub: Hub, *, redis_url: str) -> None:
        self._hub = hub
        self._redis = Redis.from_url(redis_url, socket_timeout=_PERIOD_S)
        self._metrics = RayMetrics()

    async def run(self) -> None:
        """Report once a second, for ever."""
        while True:
            metrics = HubMetrics(self._hub.clients, self._hub.cut_clients)
            self._metrics.export(
                {Metric.HUB_CLIENTS: metrics.clients, Metric.HUB_CUT: metrics.cut_clients}
            )
            try:
                await self._redis.set(HUB_KEY, msgspec.msgpack.encode(metrics), ex=_FORGOTTEN_S)
            except (RedisError, OSError) as error:
                _log.warning("hub_metrics_not_written", why=repr(error))
            await asyncio.sleep(_PERIOD_S)

    async def close(self) -> None:
        """Disconnect."""
        await self._redis.aclose()
