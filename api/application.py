"""The gateway's FastAPI application, made by a factory: once in each replica."""

import math
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib.metadata import version

from fastapi import FastAPI
from fastapi_offline import FastAPIOffline
from pydantic.alias_generators import to_camel
from starlette.middleware.gzip import GZipMiddleware

from actors.log.ports import Log
from actors.platform.config import GatewayConfig
from analytics.client import CandleSource, RemoteCandles
from api.asgi.cors import Cors
from api.asgi.guard import Guard
from api.asgi.http import Measured
from api.asgi.lane import ShortLane
from api.asgi.methods import HeadAsGet
from api.asgi.site import add_site
from api.exchange.exchange import open_exchange
from api.exchange.pairs import PairViews, RemotePairViews
from api.rest.door import SHORT_WAYS, SHORT_WAYS_COMPRESSED, add_rest, answer_error
from api.rest.metrics import PlatformMetrics
from api.rest.openapi import DESCRIPTION, TAGS

# Each adds the routes of one dialect.
_DOORS = (add_rest,)
# Paths that servers may ask this application for past all that is around it.
STRAIGHT_PATHS = frozenset(SHORT_WAYS) | frozenset(SHORT_WAYS_COMPRESSED)
_COMPRESSED_BYTES_MIN = 1_000
# The process that compresses also takes orders. A list of orders costs 8 ms a megabyte at level 1
# and becomes a seventh of its size, 19 ms and a ninth at level 6, 59 ms and a ninth at level 9.
_COMPRESS_LEVEL = 1


def create_app(
    config: GatewayConfig,
    *,
    pairs: PairViews | None = None,
    candles: CandleSource | None = None,
    log: Log | None = None,
) -> FastAPI:
    """Return the application; it connects when it is started.

    Without `pairs` and `candles` the actors of the platform's namespace are asked: that needs an
    initialised Ray. `log` is the config's Kafka unless it is given.
    """
    metrics = PlatformMetrics()
    topology, namespace = config.exchange.topology, config.exchange.namespace

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with open_exchange(
            config.exchange,
            registry=metrics.registry,
            pairs=pairs or RemotePairViews(topology=topology, namespace=namespace),
            candles=candles or RemoteCandles(namespace=namespace),
            log=log,
            # Serve gives a deployment up for good whose replicas failed to start three times.
            patience_s=math.inf,
        ) as exchange:
            app.state.exchange = exchange
            yield

    app = FastAPIOffline(
        title="Forkast",
        version=version("forkast"),
        description=DESCRIPTION,
        openapi_tags=TAGS,
        lifespan=lifespan,
        redirect_slashes=False,
        generate_unique_id_function=lambda route: to_camel(route.name),
        telemetry={"tracing": False, "metrics": False, "logs": False},
    )
    app.state.config = config
    app.state.metrics = metrics
    for add_door in _DOORS:
        add_door(app)
    add_site(app, config.web_directory)
    # The innermost first.
    app.add_middleware(Cors, allowed_origins=config.allowed_origins)
    app.add_middleware(ShortLane, endpoints=SHORT_WAYS_COMPRESSED, answer_error=answer_error)
    app.add_middleware(
        GZipMiddleware, minimum_size=_COMPRESSED_BYTES_MIN, compresslevel=_COMPRESS_LEVEL
    )
    app.add_middleware(HeadAsGet)
    # Outside compression, which costs 11 us even where it changes nothing.
    app.add_middleware(ShortLane, endpoints=SHORT_WAYS, answer_error=answer_error)
    app.add_middleware(Guard, allowed_origins=config.allowed_origins, loopback=config.loopback)
    app.add_middleware(Measured, count=metrics.answered)
    return app
