"""A short way for the requests that come by the thousand, ahead of routing and CORS.

The same endpoints are documented routes: a request that names an Origin (a browser's) takes those,
for its answer needs CORS headers.
"""

from collections.abc import Awaitable, Callable, Mapping

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

Endpoint = Callable[[Request], Awaitable[Response]]

METHOD = "POST"


class ShortLane:
    """Answer `POST` to some exact paths; pass everything else on.

    `answer_error` makes an answer of what an endpoint raises, or raises it again.
    """

    def __init__(
        self,
        app: ASGIApp,
        endpoints: Mapping[str, Endpoint],
        answer_error: Callable[[Exception], Response],
    ) -> None:
        self._app = app
        self._endpoints = endpoints
        self._answer_error = answer_error

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer the request here or pass it on."""
        endpoint = self._endpoints.get(scope["path"]) if scope.get("method") == METHOD else None
        if endpoint is None or any(name == b"origin" for name, _ in scope["headers"]):
            await self._app(scope, receive, send)
            return
        scope["route_template"] = scope["path"]
        try:
            response = await endpoint(Request(scope, receive))
        except Exception as error:  # what is no refusal is raised again
            response = self._answer_error(error)
        await response(scope, receive, send)
