"""Refusals in our JSON, with the status that HTTP has for each."""

from http import HTTPStatus
from typing import Any

from api.asgi.errors import error_content
from api.exchange import refusals
from api.exchange.refusals import Refusal

_STATUS: dict[type[Refusal], HTTPStatus] = {
    refusals.InvalidError: HTTPStatus.BAD_REQUEST,
    refusals.ForbiddenError: HTTPStatus.FORBIDDEN,
    refusals.NotFoundError: HTTPStatus.NOT_FOUND,
    refusals.ConflictError: HTTPStatus.CONFLICT,
    refusals.UnavailableError: HTTPStatus.SERVICE_UNAVAILABLE,
    refusals.OutcomeUnknownError: HTTPStatus.GATEWAY_TIMEOUT,
}


def status_of(refused: Refusal) -> HTTPStatus:
    """Return the HTTP status of a refusal."""
    return _STATUS[type(refused)]


def content_of(refused: Refusal) -> dict[str, Any]:
    """Return a refusal's JSON object."""
    content = error_content(status_of(refused), refused.code, refused.message)
    if refused.order_id:
        content["orderId"] = str(refused.order_id)
    if refused.retry_after_s:
        content["retryAfter"] = refused.retry_after_s
    return content
