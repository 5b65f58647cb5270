"""What the OpenAPI document needs beyond what FastAPI finds: bodies that are read as they are."""

from collections.abc import Callable
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from api.rest import schemas

DESCRIPTION = """
An exchange: one deterministic matching engine per trading pair.

Prices, quantities and ids go out as text and come in as JSON numbers or text, exactly: at most 8
decimals, never through a float. An order that was answered 201 is kept, whatever dies afterwards.

Every refusal reads `{"statusCode", "error", "code", "message"}`. 503 comes with `Retry-After` and
means that nothing was done. 504 comes with an `orderId` and means that the outcome is not known:
`GET /orders/{id}`, or the same `clientOrderId` sent again, resolves it.

Live events come over Socket.IO, at `/socket.io`.
"""
TAGS: list[dict[str, Any]] = [
    {"name": "orders", "description": "Place, read, amend and cancel orders."},
    {"name": "markets", "description": "Rules, books, trades, candles and tickers."},
    {"name": "users", "description": "Who places orders."},
    {"name": "operations", "description": "For those who run the platform."},
]
_BODIES: tuple[type[BaseModel], ...] = (
    schemas.PlaceOrder,
    schemas.PlaceOrders,
    schemas.AmendOrder,
    schemas.Owner,
    schemas.CreateUser,
)
_REFERENCE = "#/components/schemas/{model}"
_SENTENCES = {
    400: "Not well formed, or not what a market allows.",
    401: "No operator token, or a wrong one.",
    403: "The order belongs to another user.",
    404: "No such pair, order or user.",
    409: "The state of the market or of the order does not allow it.",
    413: "The body is too long.",
    503: "Nothing was done; try again after `Retry-After` seconds.",
    504: "The outcome is not known; `orderId` says which order to ask for.",
}


def errors(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """Return the `responses` of a route that may refuse with these statuses."""
    return {
        status: {"model": schemas.Error, "description": _SENTENCES[status]} for status in statuses
    }


def later(model: type[BaseModel]) -> dict[int | str, dict[str, Any]]:
    """Return the `responses` of a route that may answer before the market has."""
    return {202: {"model": model, "description": "In the log; the market has not answered yet."}}


def body(
    model: type[BaseModel], *, required: bool = True, examples: dict[str, Any] | None = None
) -> dict[str, Any]:
    """Return the `openapi_extra` of a route that decodes its body itself."""
    content: dict[str, Any] = {"schema": {"$ref": _REFERENCE.format(model=model.__name__)}}
    if examples:
        content["examples"] = {name: {"value": value} for name, value in examples.items()}
    return {"requestBody": {"required": required, "content": {"application/json": content}}}


def document(app: FastAPI) -> Callable[[], dict[str, Any]]:
    """Return the function that makes an application's document, once."""

    def openapi() -> dict[str, Any]:
        if app.openapi_schema is None:
            made = get_openapi(
                title=app.title,
                version=app.version,
                description=app.description,
                tags=app.openapi_tags,
                routes=app.routes,
            )
            _, definitions = models_json_schema(
                [(model, "validation") for model in _BODIES], ref_template=_REFERENCE
            )
            made["components"]["schemas"] |= definitions["$defs"]
            # Every refusal is an `Error`; FastAPI's own is never sent.
            for path in made["paths"].values():
                for operation in path.values():
                    operation["responses"].pop("422", None)
            for unused in ("HTTPValidationError", "ValidationError"):
                made["components"]["schemas"].pop(unused, None)
            app.openapi_schema = made
        return app.openapi_schema

    return openapi
