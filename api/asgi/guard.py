"""The check before every door: a host that is ours, a page that may call, a body that is JSON."""

import re
from functools import lru_cache, partial
from http import HTTPStatus

from starlette.types import ASGIApp, Message, Receive, Scope, Send
from starlette.websockets import WebSocketClose

from api.asgi.errors import HttpError
from api.asgi.http import READING, drain
from api.asgi.origins import is_allowed_origin, is_known_host

_JSON = b"application/json"
_TOKEN = rb"[\w!#$%&'+.^`|~-]+"
# A parameter in pieces (`charset*0=`) is not read, so its type is not taken.
_PARAMETER = rb"[ \t]*+;[ \t]*+(?:(%b)=(%b|\"[^\"\\]*\"))?" % (_TOKEN, _TOKEN)
_JSON_TYPE = re.compile(
    rb"application/(?:%b\+)?json((?:%b)*+)" % (_TOKEN, _PARAMETER), re.IGNORECASE
)
_PARAMETERS = re.compile(_PARAMETER)
_UTF8 = frozenset({b"utf-8", b"utf8"})
_CACHED = 1_024


class Guard:
    """Refuse what a foreign page could send, before it is routed.

    With `loopback`, a Host header that is not ours is refused: 421. What may change something (any
    method but GET, HEAD and OPTIONS, and a WebSocket) is refused to pages of foreign origins: 403.
    With `json_only`, its body must be JSON by its content type: 415. Browsers ask leave before they
    send JSON elsewhere, but not before they send a form or plain text.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        allowed_origins: tuple[str, ...],
        loopback: bool,
        json_only: bool = True,
    ) -> None:
        self._app = app
        self._allowed_origins = allowed_origins
        self._loopback = loopback
        self._json_only = json_only
        self._knows = lru_cache(_CACHED)(partial(_is_known, allowed=allowed_origins))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on or refuse it."""
        kind = scope["type"]
        if kind == "lifespan":
            await self._app(scope, receive, send)
            return
        host = origin = content_type = None
        for name, value in scope["headers"]:
            if name == b"host":
                host = value
            elif name == b"content-type":
                content_type = value
            elif name == b"origin":
                origin = value
        # Health checks of balancers may name no host; browsers always do.
        if self._loopback and host is not None and not self._knows(host):
            await _refuse(_unknown_host(), scope, receive, send)
        elif kind == "http" and scope["method"] in READING:
            await self._app(scope, receive, send)
        elif origin is not None and not self._allows(origin, host or b""):
            await _refuse(_foreign_origin(), scope, receive, send)
        elif (
            not self._json_only
            or kind == "websocket"
            or content_type == _JSON
            or (content_type is not None and _is_json(content_type))
        ):
            await self._app(scope, receive, send)
        else:
            await self._pass_empty(scope, receive, send, origin)

    def _allows(self, origin: bytes, host: bytes) -> bool:
        return is_allowed_origin(
            origin.decode("latin-1"), allowed=self._allowed_origins, host=host.decode("latin-1")
        )

    async def _pass_empty(
        self, scope: Scope, receive: Receive, send: Send, origin: bytes | None
    ) -> None:
        """Pass on a request whose body is empty, and so needs no type; refuse any other."""
        message = await receive()
        while message.get("more_body", False) and not message.get("body", b""):
            message = await receive()
        if not message.get("body", b""):
            await self._app(scope, _replayed(message, receive), send)
            return
        if message.get("more_body", False):
            await drain(receive)
        await _not_json(origin).response()(scope, receive, send)


@lru_cache(_CACHED)
def _is_json(content_type: bytes) -> bool:
    told = _JSON_TYPE.fullmatch(content_type.strip())
    return told is not None and all(
        value.strip(b'"').lower() in _UTF8
        for name, value in _PARAMETERS.findall(told[1])
        if name.lower() == b"charset"
    )


def _is_known(host: bytes, *, allowed: tuple[str, ...]) -> bool:
    return is_known_host(host.decode("latin-1"), allowed=allowed)


async def _refuse(error: HttpError, scope: Scope, receive: Receive, send: Send) -> None:
    if scope["type"] == "websocket":
        # Closed before it was accepted, which servers answer with 403.
        await WebSocketClose()(scope, receive, send)
        return
    await drain(receive)
    await error.response()(scope, receive, send)


def _replayed(first: Message, receive: Receive) -> Receive:
    waiting = [first]

    async def replay() -> Message:
        return waiting.pop() if waiting else await receive()

    return replay


def _unknown_host() -> HttpError:
    return HttpError(
        HTTPStatus.MISDIRECTED_REQUEST,
        "UNKNOWN_HOST",
        "This host name is not one of the platform's. Ask at localhost or 127.0.0.1, or name its "
        "origin in FORKAST_ALLOWED_ORIGINS.",
    )


def _foreign_origin() -> HttpError:
    return HttpError(
        HTTPStatus.FORBIDDEN,
        "FORBIDDEN_ORIGIN",
        "Pages of this origin may change nothing here; FORKAST_ALLOWED_ORIGINS names those that "
        "may.",
    )


def _not_json(origin: bytes | None) -> HttpError:
    # An origin that came so far is allowed, and its page should be able to read what is wrong.
    readable = {"Access-Control-Allow-Origin": origin.decode("latin-1")} if origin else {}
    return HttpError(
        HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
        "UNSUPPORTED_MEDIA_TYPE",
        "The body must be JSON in UTF-8 and say so: send the header content-type: "
        "application/json.",
        headers=readable | {"Vary": "Origin"},
    )
