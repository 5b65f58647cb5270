"""The gateway's FastAPI application, made by a factory: once in each replica."""

import math
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from http import HTTPStatus
from importlib.metadata import version

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi_offline import FastAPIOffline
from pydantic.alias_generators import to_camel
from starlette.exceptions import HTTPException
from starlette.middleware.cors import CORSMiddleware
from starlette.responses import Response

from actors.platform.config import Platform
from actors.platform.errors import ForkastError
from analytics.client import CandleSource, RemoteCandles
from api.asgi.errors import ApiError, error_content, from_platform_error, json_response
from api.asgi.http import ClientGoneError, Measured
from api.asgi.lane import ShortLane
from api.asgi.site import add_site
from api.exchange.gateway import open_gateway
from api.exchange.metrics import GatewayMetrics
from api.exchange.pairs import PairViews, RemotePairViews
from api.rest.openapi import DESCRIPTION, TAGS, document
from api.rest.routes import fills, markets, operations, orders, users

LOOPBACK_ORIGINS = r"https?://(localhost|127\.0\.0\.1|\[::1\])(:\d{1,5})?"


def create_app(
    platform: Platform, *, pairs: PairViews | None = None, candles: CandleSource | None = None
) -> FastAPI:
    """Return the application; it connects when it is started.

    Without `pairs` and `candles` the actors of the platform's namespace are asked: that needs an
    initialised Ray.
    """
    metrics = GatewayMetrics(platform.topology)

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with open_gateway(
            platform,
            metrics=metrics,
            pairs=pairs
            or RemotePairViews(topology=platform.topology, namespace=platform.namespace),
            candles=candles or RemoteCandles(namespace=platform.namespace),
            # Serve gives a deployment up for good whose replicas failed to start three times.
            patience_s=math.inf,
        ) as gateway:
            app.state.gateway = gateway
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
    parts = (orders.lean, orders.router, fills.router, markets.router, users.router)
    for router in (*parts, operations.router):
        app.include_router(router)
    add_site(app, platform.web_directory)
    _add_error_handlers(app)
    app.add_middleware(
        CORSMiddleware,
        allow_origins=list(platform.allowed_origins),
        allow_origin_regex=LOOPBACK_ORIGINS,
        allow_methods=["GET", "POST", "PATCH", "DELETE"],
        allow_headers=["*"],
        expose_headers=["Retry-After"],
    )
    app.add_middleware(
        ShortLane, endpoints={"/orders": orders.place_order, "/orders/batch": orders.place_orders}
    )
    app.add_middleware(Measured, metrics=metrics)
    app.openapi = document(app)  # type: ignore[method-assign]
    return app


def _add_error_handlers(app: FastAPI) -> None:
    @app.exception_handler(ApiError)
    async def refused(_: Request, error: ApiError) -> Response:
        return error.response()

    @app.exception_handler(ForkastError)
    async def away(_: Request, error: ForkastError) -> Response:
        return from_platform_error(error).response()

    @app.exception_handler(RequestValidationError)
    async def invalid(_: Request, error: RequestValidationError) -> Response:
        first = error.errors()[0]
        where = " ".join(str(part) for part in first["loc"])
        content = error_content(HTTPStatus.BAD_REQUEST, "MALFORMED", f"{where}: {first['msg']}.")
        return json_response(content, status=HTTPStatus.BAD_REQUEST)

    @app.exception_handler(HTTPException)
    async def unrouted(_: Request, error: HTTPException) -> Response:
        status = HTTPStatus(error.status_code)
        message = {
            HTTPStatus.NOT_FOUND: "There is nothing at this path; see /docs.",
            HTTPStatus.METHOD_NOT_ALLOWED: "This path does not take this method; see /docs.",
        }.get(status, str(error.detail))
        content = error_content(status, status.name, message)
        return json_response(content, status=status, headers=dict(error.headers or {}))

    @app.exception_handler(ClientGoneError)
    async def gone(_: Request, error: ClientGoneError) -> Response:
        del error
        return Response(status_code=HTTPStatus.BAD_REQUEST)

    @app.exception_handler(Exception)
    async def failed(_: Request, error: Exception) -> Response:
        del error
        status = HTTPStatus.INTERNAL_SERVER_ERROR
        content = error_content(status, "INTERNAL", "The gateway failed; this is a bug.")
        return json_response(content, status=status)
