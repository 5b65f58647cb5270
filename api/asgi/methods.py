"""The methods of a path: HEAD wherever there is GET, and the whole of what `Allow` has to name."""

from collections.abc import Iterable

from starlette.routing import BaseRoute, Match, Mount
from starlette.types import ASGIApp, Message, Receive, Scope, Send

_ASKED = ("DELETE", "GET", "PATCH", "POST", "PUT")


class HeadAsGet:
    """Answer HEAD with the status and the headers of GET, and no body."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on; a HEAD as the GET that it asks about."""
        if scope["type"] != "http" or scope["method"] != "HEAD":
            await self._app(scope, receive, send)
            return

        async def send_without_body(message: Message) -> None:
            if message["type"] == "http.response.body":
                if message.get("more_body", False):
                    return
                message = {"type": "http.response.body"}
            await send(message)

        # A copy: the server goes by its own scope to send no body.
        get = dict(scope, method="GET")
        try:
            await self._app(get, receive, send_without_body)
        finally:
            scope["route"] = get.get("route")


def allowed_methods(routes: Iterable[BaseRoute], scope: Scope) -> list[str]:
    """Return all methods of a request's path, sorted; what is mounted are files."""
    asked = {
        "type": "http",
        "path": scope["path"],
        # A mount that the request was handed to has moved it.
        "root_path": scope.get("app_root_path", scope.get("root_path", "")),
        "headers": [],
    }
    methods = {"OPTIONS"}
    for route in routes:
        for method in ("GET",) if isinstance(route, Mount) else _ASKED:
            if route.matches(dict(asked, method=method))[0] is Match.FULL:
                methods.add(method)
    if "GET" in methods:
        methods.add("HEAD")
    return sorted(methods)
