"""Every way in which a request may be refused, as one tree, and the JSON that says so.

    ApiError
    ├── InvalidRequestError      400  the request itself
    ├── UnauthorizedError        401  no or a wrong operator token
    ├── ForbiddenError           403  not the caller's to change
    ├── NotFoundError            404  no such pair, order, user or path
    ├── ConflictError            409  the market's or the order's state does not allow it
    ├── BodyTooLargeError        413
    ├── UnavailableError         503  with Retry-After: nothing was done, try again
    └── OutcomeUnknownError      504  with the orderId: it may have been done

`code` is the name of a `Reason` where the book's vocabulary has one.
"""

from http import HTTPStatus
from typing import Any, ClassVar, Self

import msgspec
from starlette.responses import Response

from actors.book.reasons import SENTENCES, Reason
from actors.platform.errors import (
    ForkastError,
    LogTimeoutError,
    LogUnavailableError,
    PairUnavailableError,
    QueueFullError,
    StorageUnavailableError,
)

_SENTENCE_CHARACTERS = 300


class ApiError(Exception):
    """Base of all refusals; `status` is the HTTP status."""

    status: ClassVar[int] = HTTPStatus.INTERNAL_SERVER_ERROR

    def __init__(
        self, code: str, message: str, *, order_id: int = 0, retry_after_s: int = 0
    ) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.order_id = order_id
        self.retry_after_s = retry_after_s

    def about(self, order_id: int) -> Self:
        """Return the same error about another order, where it names one."""
        return type(self)(
            self.code,
            self.message,
            order_id=order_id if self.order_id else 0,
            retry_after_s=self.retry_after_s,
        )

    def content(self) -> dict[str, Any]:
        """Return the error's JSON object."""
        content = error_content(self.status, self.code, self.message)
        if self.order_id:
            content["orderId"] = str(self.order_id)
        return content

    def response(self) -> Response:
        """Return the answer that says so."""
        headers = {"Retry-After": str(self.retry_after_s)} if self.retry_after_s else None
        return json_response(self.content(), status=self.status, headers=headers)


class InvalidRequestError(ApiError):
    """The request is not well formed or asks for what no market allows."""

    status = HTTPStatus.BAD_REQUEST


class UnauthorizedError(ApiError):
    """The operator's token is missing or wrong."""

    status = HTTPStatus.UNAUTHORIZED


class ForbiddenError(ApiError):
    """The caller may not do this."""

    status = HTTPStatus.FORBIDDEN


class NotFoundError(ApiError):
    """What was asked for does not exist."""

    status = HTTPStatus.NOT_FOUND


class ConflictError(ApiError):
    """The state of the market or of the order does not allow it."""

    status = HTTPStatus.CONFLICT


class BodyTooLargeError(ApiError):
    """The body is longer than `limits.body_bytes`."""

    status = HTTPStatus.REQUEST_ENTITY_TOO_LARGE


class UnavailableError(ApiError):
    """Nothing was done; the same request may succeed after `retry_after_s`."""

    status = HTTPStatus.SERVICE_UNAVAILABLE


class OutcomeUnknownError(ApiError):
    """It may or may not have been done; `order_id` is how to find out."""

    status = HTTPStatus.GATEWAY_TIMEOUT


_CLASS_OF_REASON: dict[Reason, type[ApiError]] = {
    Reason.UNKNOWN_MARKET: NotFoundError,
    Reason.UNKNOWN_ORDER: NotFoundError,
    Reason.NOT_OWNER: ForbiddenError,
    Reason.HALTED: ConflictError,
    Reason.WOULD_CROSS: ConflictError,
    Reason.NOT_ENOUGH_TO_FILL: ConflictError,
    Reason.DUPLICATE_ORDER_ID: ConflictError,
    Reason.DUPLICATE_CLIENT_ORDER_ID: ConflictError,
}


def refusal(reason: Reason, message: str = "", *, order_id: int = 0) -> ApiError:
    """Return the error for a reason of the book; its own sentence where none is given."""
    error_class = _CLASS_OF_REASON.get(reason, InvalidRequestError)
    return error_class(reason.name, message or SENTENCES[reason], order_id=order_id)


def placing_unknown(order_id: int) -> OutcomeUnknownError:
    """Return what is told of an order that the log did not confirm in time."""
    return OutcomeUnknownError(
        "OUTCOME_UNKNOWN",
        "The log did not confirm in time, so the outcome is not known. GET /orders/{orderId}, "
        "or the same clientOrderId sent again, resolves it.",
        order_id=order_id,
    )


def changing_unknown(order_id: int) -> OutcomeUnknownError:
    """Return what is told of a change that the log did not confirm in time; 0 for no order."""
    return OutcomeUnknownError(
        "OUTCOME_UNKNOWN",
        "The log did not confirm in time, so the outcome is not known. The same request may be "
        "sent again.",
        order_id=order_id,
    )


def from_platform_error(error: ForkastError) -> ApiError:
    """Return what a client is told of an error behind the gateway, where nothing was done."""
    if isinstance(error, QueueFullError):
        return UnavailableError(
            "QUEUE_FULL", "Too many orders wait for the log; nothing was kept.", retry_after_s=1
        )
    if isinstance(error, LogTimeoutError | LogUnavailableError):
        return UnavailableError(
            "LOG_UNAVAILABLE", "The log does not answer; nothing was kept.", retry_after_s=2
        )
    if isinstance(error, StorageUnavailableError):
        return UnavailableError(
            "STORAGE_UNAVAILABLE", "The database does not answer; try again.", retry_after_s=2
        )
    if isinstance(error, PairUnavailableError):
        return UnavailableError(
            "PAIR_UNAVAILABLE", "The market's worker does not answer; try again.", retry_after_s=2
        )
    return UnavailableError("UNAVAILABLE", "A part of the platform is away.", retry_after_s=2)


def error_content(status: int, code: str, message: str) -> dict[str, Any]:
    """Return the JSON object of an error; the sentence is cut and made fit for UTF-8."""
    sentence = message[:_SENTENCE_CHARACTERS].encode("utf-8", "replace").decode()
    return {
        "statusCode": int(status),
        "error": HTTPStatus(status).phrase,
        "code": code,
        "message": sentence,
    }


def json_response(
    content: Any, *, status: int = HTTPStatus.OK, headers: dict[str, str] | None = None
) -> Response:
    """Return an answer whose body is the content as JSON."""
    return Response(msgspec.json.encode(content), status, headers, "application/json")
