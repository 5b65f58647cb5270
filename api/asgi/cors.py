"""What pages of other origins may read and send, by the rule that holds for every door."""

from http import HTTPStatus

from starlette.datastructures import Headers
from starlette.middleware.cors import CORSMiddleware
from starlette.responses import Response
from starlette.types import ASGIApp

from api.asgi.errors import HttpError
from api.asgi.origins import is_allowed_origin

_METHODS = ("GET", "HEAD", "POST", "PATCH", "DELETE")


class Cors(CORSMiddleware):
    """Give pages of allowed origins their allowance; refuse others their preflights.

    A page of the gateway's own origin needs no allowance, so the request's Host is not asked.
    """

    def __init__(self, app: ASGIApp, *, allowed_origins: tuple[str, ...]) -> None:
        super().__init__(
            app,
            allow_origins=allowed_origins,
            allow_methods=_METHODS,
            allow_headers=["*"],
            expose_headers=["Retry-After"],
        )

    def is_allowed_origin(self, origin: str) -> bool:
        """Say whether a page of this origin may read answers."""
        return is_allowed_origin(origin, allowed=self.allow_origins)

    def preflight_response(self, request_headers: Headers) -> Response:
        """Return what a browser asks for before a page's request; a refusal allows nothing."""
        response = super().preflight_response(request_headers)
        if response.status_code == HTTPStatus.OK:
            return response
        if self.is_allowed_origin(request_headers["origin"]):
            code, message = "FORBIDDEN_METHOD", f"Pages may send {', '.join(_METHODS)} here."
        else:
            code, message = "FORBIDDEN_ORIGIN", "Pages of this origin may not call."
        return HttpError(HTTPStatus.FORBIDDEN, code, message, headers={"Vary": "Origin"}).response()
