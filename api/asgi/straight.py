"""The straight way of the hottest requests: from uvicorn to the application, past what is between.

Ray Serve wraps an application for all that it may have to do for a request: tasks, contexts, ids,
counts. Around an order that costs as much as taking it.
"""

import asyncio
from collections.abc import Awaitable, Collection
from functools import partial
from typing import Any, cast

import structlog
import uvicorn.config
from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from api.asgi.lane import METHOD

_log = structlog.get_logger(__name__)


class StraightProtocol(HttpToolsProtocol):
    """uvicorn's own protocol for HTTP, which asks `application` itself for some requests.

    These are `POST`s to `paths` without a query; one with a query may wait for an outcome, and goes
    the long way, where its client is watched meanwhile. All do if the application lives in another
    loop than the server.
    """

    def __init__(
        self,
        *arguments: Any,
        application: ASGIApp,
        paths: Collection[str],
        home: asyncio.AbstractEventLoop,
        **options: Any,
    ) -> None:
        super().__init__(*arguments, **options)
        self._application = application
        self._paths = paths
        if self.loop is home:
            self._around: ASGIApp = self.app
            self.app = self._choose

    def _choose(self, scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        if scope["path"] in self._paths and scope["method"] == METHOD and not scope["query_string"]:
            return self._ask(scope, receive, send)
        return self._around(scope, receive, send)

    async def _ask(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await self._application(scope, receive, send)
        except Exception:
            # Serve keeps uvicorn from saying it. An application that fails has answered by now.
            _log.exception("request_failed", path=scope["path"])


def go_straight(application: ASGIApp, paths: Collection[str]) -> None:
    """Let every uvicorn server that this process starts from now on ask an application itself.

    Called in the loop that the application lives in; `StraightProtocol` says for what requests.
    """
    protocol = partial(
        StraightProtocol,
        application=application,
        paths=frozenset(paths),
        home=asyncio.get_running_loop(),
    )
    cast(dict[str, Any], uvicorn.config.HTTP_PROTOCOLS)["auto"] = protocol
