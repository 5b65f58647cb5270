"""The OpenAPI document: FastAPI finds the routes, msgspec's structs are the components."""

from collections.abc import Callable
from typing import Any

import msgspec
from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from api.json import requests, views
from api.json.numbers import number_schema

DESCRIPTION = """
An exchange: one deterministic matching engine per trading pair.

Prices, quantities and ids go out as text and come in as JSON numbers or text, exactly: at most 8
decimals, never through a float. An order that was answered 201 is kept, whatever dies afterwards.
Bodies are `application/json`. A field or a parameter that is not named here is refused.

Every refusal reads `{"statusCode", "error", "code", "message"}`, with `orderId` and `retryAfter`
where they apply. 503 means that nothing was done, and says in `Retry-After`, and in `retryAfter`,
after how many seconds to try again. 504 means that the outcome is not known: where it names an
order, by `orderId`, `GET /orders/{id}` resolves it, and so does the same `clientOrderId` sent
again. A proxy before the gateway may answer 502 or 504 by itself, which means the same and names no
order. 421 is told to whoever asks by a host name that is not the platform's.

Live events come over Socket.IO, at `/socket.io`.
"""
TAGS: list[dict[str, Any]] = [
    {"name": "orders", "description": "Place, read, amend and cancel orders."},
    {"name": "markets", "description": "Rules, books, trades, candles and tickers."},
    {"name": "users", "description": "Who places orders."},
    {"name": "operations", "description": "For those who run the platform."},
]
_REFERENCE = "#/components/schemas/{name}"
_SENTENCES = {
    400: "Not well formed, or not what a market allows.",
    401: "No operator token, or a wrong one.",
    403: "The order belongs to another user, the page's origin may change nothing, or the "
    "platform has no operator token.",
    404: "No such pair, order or user.",
    409: "The state of the market or of the order does not allow it.",
    413: "The body is too long.",
    415: "The body is not JSON, or does not say so.",
    503: "Nothing was done; try again after `retryAfter` seconds.",
    504: "The outcome is not known; where it names an order, `orderId` says which to ask for.",
}
# Everything that a document names, and what it is made of.
_components: dict[Any, None] = dict.fromkeys(
    (
        requests.PlaceOrder,
        requests.PlaceOrders,
        requests.AmendOrder,
        requests.Owner,
        requests.CreateUser,
        views.Error,
    )
)


def answer(
    kind: Any, *, status: int = 200, description: str = "Successful Response"
) -> dict[int | str, dict[str, Any]]:
    """Return the `responses` entry of a route that answers a struct, or a list of one."""
    _components[kind] = None
    return {
        status: {
            "description": description,
            "content": {"application/json": {"schema": schema_of(kind)}},
        }
    }


def errors(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """Return the `responses` of a route that may refuse with these statuses."""
    found: dict[int | str, dict[str, Any]] = {}
    for status in statuses:
        found |= answer(views.Error, status=status, description=_SENTENCES[status])
    return found


def later(kind: Any) -> dict[int | str, dict[str, Any]]:
    """Return the `responses` of a route that may answer before the market has."""
    description = "In the log; the market has not answered yet."
    return answer(kind, status=202, description=description)


def body(
    kind: Any, *, required: bool = True, examples: dict[str, Any] | None = None
) -> dict[str, Any]:
    """Return the `openapi_extra` of a route that decodes its body itself."""
    content: dict[str, Any] = {"schema": schema_of(kind)}
    if examples:
        content["examples"] = {name: {"value": value} for name, value in examples.items()}
    return {"requestBody": {"required": required, "content": {"application/json": content}}}


def query_parameter(name: str, schema: dict[str, Any], description: str) -> dict[str, Any]:
    """Return the entry of a query parameter that a route reads itself."""
    return {
        "name": name,
        "in": "query",
        "required": False,
        "schema": schema,
        "description": description,
    }


def schema_of(kind: Any) -> dict[str, Any]:
    """Return the JSON schema of a type, its structs by reference."""
    (schema,), _ = msgspec.json.schema_components(
        [kind], schema_hook=number_schema, ref_template=_REFERENCE
    )
    return schema


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
            _, schemas = msgspec.json.schema_components(
                list(_components), schema_hook=number_schema, ref_template=_REFERENCE
            )
            # Every refusal is an `Error`; FastAPI's own is never sent.
            for path in made["paths"].values():
                for operation in path.values():
                    operation["responses"].pop("422", None)
            made.setdefault("components", {})["schemas"] = dict(sorted(schemas.items()))
            app.openapi_schema = made
        return app.openapi_schema

    return openapi
