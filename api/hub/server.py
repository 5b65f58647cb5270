"""The Socket.IO edge of the hub: sessions, requests and their answers."""

import logging
from collections.abc import Awaitable, Callable
from typing import Any

import msgspec
import socketio
import structlog
from engineio.exceptions import SocketIsClosedError
from starlette.types import ASGIApp

from actors.platform.errors import ForkastError
from api.asgi.origins import is_allowed_origin
from api.exchange.refusals import Refusal, malformed, of_platform_error
from api.hub import refusals
from api.hub.clients import Client
from api.hub.desk import OrderDesk
from api.hub.hub import Hub
from api.hub.messages import SubscribeRequest, UnsubscribeRequest
from api.hub.packets import ExactJson
from api.hub.protocol import DEFAULT_NAMESPACE, MessageServer
from api.json.errors import content_of
from api.json.requests import convert

_log = structlog.get_logger(__name__)

# What a client sends wrong is told to that client; the library would log it, with a traceback.
_quiet = logging.getLogger("forkast.hub.transport")
_quiet.setLevel(logging.CRITICAL)


class HubServer:
    """Put a hub behind Socket.IO: polling first or WebSocket only, one process for all.

    A client's requests are taken one after the other, so its orders keep their order. `asgi` is
    the application; it answers every path, as it is mounted at its own.
    """

    def __init__(
        self,
        hub: Hub,
        *,
        desk: OrderDesk,
        allowed_origins: tuple[str, ...],
        client_messages: int,
        levels_max: int,
    ) -> None:
        self._hub = hub
        self._desk = desk
        self._allowed_origins = allowed_origins
        self._client_messages = client_messages
        self._levels_max = levels_max
        self._server = MessageServer(
            async_mode="asgi",
            json=ExactJson,
            cors_allowed_origins=self._is_allowed,
            async_handlers=False,
            # The hub cuts its own clients at one such queue; this is for all other sessions.
            unread_max=2 * client_messages,
            http_compression=False,
            logger=_quiet,
            engineio_logger=_quiet,
        )
        self._server.on("connect", self._connect)
        self._server.on("disconnect", self._disconnect)
        self._answer("subscribe", self._subscribe)
        self._answer("unsubscribe", self._unsubscribe)
        self._answer("place_order", self._place)
        self._answer("cancel_order", self._cancel)
        self.asgi: ASGIApp = socketio.ASGIApp(self._server, socketio_path=None)

    async def stop(self) -> None:
        """End the library's own tasks."""
        await self._server.shutdown()

    def _is_allowed(self, origin: str | None, environ: dict[str, Any]) -> bool:
        return origin is None or is_allowed_origin(
            origin, allowed=self._allowed_origins, host=environ.get("HTTP_HOST", "")
        )

    async def _connect(self, sid: str, environ: dict[str, Any], auth: Any = None) -> None:
        engine_sid = self._server.manager.eio_sid_from_sid(sid, DEFAULT_NAMESPACE)
        self._hub.join(
            Client(
                sid=sid,
                socket=self._server.eio.sockets[engine_sid],
                bound=self._client_messages,
                levels_max=self._levels_max,
            )
        )

    async def _disconnect(self, sid: str, reason: str) -> None:
        client = self._hub.leave(sid)
        if client is not None and reason == self._server.reason.CLIENT_DISCONNECT:
            client.release()

    def _answer(self, event: str, handler: Callable[[str, Any], Awaitable[Any]]) -> None:
        """Answer an event by what the handler returns, or by what it was refused for."""

        async def handle(sid: str, *arguments: Any) -> Any:
            if not self._hub.may_ask(sid):
                # So that a payload which holds this request is not answered as if it was taken.
                raise SocketIsClosedError
            try:
                answer = await handler(sid, _only(arguments))
            except Refusal as refused:
                answer = await self._refuse(sid, content_of(refused))
            except ForkastError as error:
                answer = await self._refuse(sid, content_of(of_platform_error(error)))
            except Exception:
                _log.exception("request_failed", event_name=event)
                answer = await self._refuse(sid, refusals.content_of(refusals.failed()))
            return msgspec.to_builtins(answer)

        self._server.on(event, handle)

    async def _refuse(self, sid: str, content: dict[str, Any]) -> dict[str, Any]:
        """Return the refusal, and send it as an event to those who asked without an ack."""
        await self._server.emit("error", content, to=sid)
        return content

    async def _subscribe(self, sid: str, data: Any) -> Any:
        return await self._hub.subscribe(sid, convert(SubscribeRequest, data))

    async def _unsubscribe(self, sid: str, data: Any) -> Any:
        room = convert(UnsubscribeRequest, data).room
        self._hub.unsubscribe(sid, room)
        return {"room": room}

    async def _place(self, _: str, data: Any) -> Any:
        return await self._desk.place(data)

    async def _cancel(self, _: str, data: Any) -> Any:
        return await self._desk.cancel(data)


def _only(arguments: tuple[Any, ...]) -> Any:
    if len(arguments) != 1:
        raise malformed(f"A request has one argument, its data; this one has {len(arguments)}.")
    return arguments[0]
