"""The REST door: its routes, its errors and its short ways, put on an application."""

from http import HTTPStatus

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import Response

from actors.platform.errors import ForkastError
from api.asgi.errors import HttpError, error_content, json_response
from api.asgi.http import ClientGoneError
from api.asgi.lane import Endpoint
from api.asgi.methods import allowed_methods
from api.exchange.refusals import Refusal, of_platform_error
from api.json.errors import content_of, status_of
from api.rest.openapi import document
from api.rest.routes import fills, markets, operations, orders, users

_ROUTERS = (orders.lean, orders.router, fills.router, markets.router, users.router)


def add_rest(app: FastAPI) -> None:
    """Let an application answer REST."""
    for router in (*_ROUTERS, operations.router):
        app.include_router(router)
    _add_error_handlers(app)
    app.openapi = document(app)  # type: ignore[method-assign]


# The answer to one order is hardly ever long enough to be compressed, the one to a batch often.
SHORT_WAYS: dict[str, Endpoint] = {"/orders": orders.place_order}
SHORT_WAYS_COMPRESSED: dict[str, Endpoint] = {"/orders/batch": orders.place_orders}


def answer_error(error: Exception) -> Response:
    """Return the answer to what a short way raised; raise what is no refusal."""
    if isinstance(error, Refusal):
        return _refused(error)
    if isinstance(error, ForkastError):
        return _refused(of_platform_error(error))
    if isinstance(error, HttpError):
        return error.response()
    if isinstance(error, ClientGoneError):
        return Response(status_code=HTTPStatus.BAD_REQUEST)
    raise error


def _refused(refused: Refusal) -> Response:
    seconds = refused.retry_after_s
    return json_response(
        content_of(refused),
        status=status_of(refused),
        headers={"Retry-After": str(seconds)} if seconds else None,
    )


def _add_error_handlers(app: FastAPI) -> None:
    async def known(_: Request, error: Exception) -> Response:
        return answer_error(error)

    for kind in (Refusal, ForkastError, HttpError, ClientGoneError):
        app.add_exception_handler(kind, known)

    @app.exception_handler(RequestValidationError)
    async def invalid(_: Request, error: RequestValidationError) -> Response:
        first = error.errors()[0]
        where = " ".join(str(part) for part in first["loc"])
        content = error_content(HTTPStatus.BAD_REQUEST, "MALFORMED", f"{where}: {first['msg']}.")
        return json_response(content, status=HTTPStatus.BAD_REQUEST)

    @app.exception_handler(HTTPException)
    async def unrouted(request: Request, error: HTTPException) -> Response:
        status = HTTPStatus(error.status_code)
        headers = dict(error.headers or {})
        if status is HTTPStatus.METHOD_NOT_ALLOWED:
            headers["Allow"] = ", ".join(allowed_methods(app.routes, request.scope))
            if request.method == "OPTIONS":
                return Response(status_code=HTTPStatus.NO_CONTENT, headers=headers)
        message = {
            HTTPStatus.NOT_FOUND: "There is nothing at this path; see /docs.",
            HTTPStatus.METHOD_NOT_ALLOWED: "This path does not take this method; see /docs.",
        }.get(status, str(error.detail))
        content = error_content(status, status.name, message)
        return json_response(content, status=status, headers=headers)

    @app.exception_handler(Exception)
    async def failed(_: Request, error: Exception) -> Response:
        del error
        status = HTTPStatus.INTERNAL_SERVER_ERROR
        content = error_content(status, "INTERNAL", "The gateway failed; this is a bug.")
        return json_response(content, status=status)
