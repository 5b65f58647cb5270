"""A short way for the requests that come by the thousand, ahead of routing and CORS.

The same endpoints are documented routes: a request that names an Origin (a browser's) takes those,
for its answer needs CORS headers.
"""

from collections.abc import Awaitable, Callable, Mapping

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from actors.platform.errors import ForkastError
from api.asgi.errors import ApiError, from_platform_error
from api.asgi.http import ClientGoneError

Endpoint = Callable[[Request], Awaitable[Response]]


class ShortLane:
    """Answer `POST` to some exact paths; pass everything else on."""

    def __init__(self, app: ASGIApp, endpoints: Mapping[str, Endpoint]) -> None:
        self._app = app
        self._endpoints = endpoints

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer the request here or pass it on."""
        endpoint = self._endpoints.get(scope["path"]) if scope.get("method") == "POST" else None
        if endpoint is None or any(name == b"origin" for name, _ in scope["headers"]):
            await self._app(scope, receive, send)
            return
        scope["route_template"] = scope["path"]
        response = await _answer(endpoint, Request(scope, receive))
        await response(scope, receive, send)


async def _answer(endpoint: Endpoint, request: Request) -> Response:
    try:
        return await endpoint(request)
    except ApiError as error:
        return error.response()
    except ForkastError as error:
        return from_platform_error(error).response()
    except ClientGoneError:
        return Response(status_code=400)
