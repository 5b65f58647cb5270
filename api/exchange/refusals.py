"""Every way in which the exchange may refuse, as one tree.

    Refusal
    ├── InvalidError          the request itself: not well formed, or not what a market allows
    ├── ForbiddenError        not the principal's to change
    ├── NotFoundError         no such market, order or user
    ├── ConflictError         the state of the market or of the order does not allow it
    ├── UnavailableError      nothing was done: try again after `retry_after_s`
    └── OutcomeUnknownError   it may have been done: `order_id` is how to find out

`code` is stable and for programs: the name of a `Reason` where the book has one. How a refusal is
told to a client is each door's business.
"""

from typing import Self

from actors.book.reasons import SENTENCES, Reason
from actors.platform.errors import (
    ForkastError,
    LogTimeoutError,
    LogUnavailableError,
    PairUnavailableError,
    QueueFullError,
    StorageUnavailableError,
)


class Refusal(Exception):  # noqa: N818 - it is an answer as much as an error
    """Base of all refusals; `order_id` is 0 where no order is named."""

    def __init__(
        self, code: str, message: str, *, order_id: int = 0, retry_after_s: int = 0
    ) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.order_id = order_id
        self.retry_after_s = retry_after_s

    def about(self, order_id: int) -> Self:
        """Return the same refusal about another order, where it names one."""
        return type(self)(
            self.code,
            self.message,
            order_id=order_id if self.order_id else 0,
            retry_after_s=self.retry_after_s,
        )


class InvalidError(Refusal):
    """The request is not well formed or asks for what no market allows."""


class ForbiddenError(Refusal):
    """The principal may not do this."""


class NotFoundError(Refusal):
    """What was asked for does not exist."""


class ConflictError(Refusal):
    """The state of the market or of the order does not allow it."""


class UnavailableError(Refusal):
    """Nothing was done; the same request may succeed after `retry_after_s`."""


class OutcomeUnknownError(Refusal):
    """It may or may not have been done; `order_id` is how to find out."""


_CLASS_OF_REASON: dict[Reason, type[Refusal]] = {
    Reason.UNKNOWN_MARKET: NotFoundError,
    Reason.UNKNOWN_ORDER: NotFoundError,
    Reason.NOT_OWNER: ForbiddenError,
    Reason.FENCED: UnavailableError,
    Reason.HALTED: ConflictError,
    Reason.WOULD_CROSS: ConflictError,
    Reason.NOT_ENOUGH_TO_FILL: ConflictError,
    Reason.DUPLICATE_ORDER_ID: ConflictError,
    Reason.DUPLICATE_CLIENT_ORDER_ID: ConflictError,
}


def refusal(reason: Reason, message: str = "", *, order_id: int = 0) -> Refusal:
    """Return the refusal for a reason of the book; its own sentence where none is given."""
    refusal_class = _CLASS_OF_REASON.get(reason, InvalidError)
    return refusal_class(
        reason.name,
        message or SENTENCES[reason],
        order_id=order_id,
        retry_after_s=1 if refusal_class is UnavailableError else 0,
    )


def malformed(message: str) -> InvalidError:
    """Return the refusal of a request that is not well formed."""
    return InvalidError("MALFORMED", message)


def unknown_user() -> NotFoundError:
    """Return the refusal of a user that does not exist."""
    return NotFoundError("UNKNOWN_USER", "There is no user with this id.")


def placing_unknown(order_id: int) -> OutcomeUnknownError:
    """Return what is told of an order that the log did not confirm in time."""
    return OutcomeUnknownError(
        "OUTCOME_UNKNOWN",
        "The log did not confirm in time, so the outcome is not known. Read the order by its id, "
        "or send the same client order id again.",
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


def not_yet_known() -> UnavailableError:
    """Return the refusal of a question whose answer has not arrived yet."""
    return UnavailableError(
        "NOT_YET_KNOWN",
        "The database has not caught up with the log yet; try again.",
        retry_after_s=1,
    )


def of_platform_error(error: ForkastError) -> Refusal:
    """Return what is told of an error behind the exchange, where nothing was done."""
    for kind, (code, message, retry_after_s) in _UNAVAILABLE.items():
        if isinstance(error, kind):
            return UnavailableError(code, message, retry_after_s=retry_after_s)
    return UnavailableError("UNAVAILABLE", "A part of the platform is away.", retry_after_s=2)


_LOG_AWAY = ("LOG_UNAVAILABLE", "The log does not answer; nothing was kept.", 2)
_UNAVAILABLE: dict[type[ForkastError], tuple[str, str, int]] = {
    QueueFullError: ("QUEUE_FULL", "Too many orders wait for the log; nothing was kept.", 1),
    LogTimeoutError: _LOG_AWAY,
    LogUnavailableError: _LOG_AWAY,
    StorageUnavailableError: (
        "STORAGE_UNAVAILABLE",
        "The database does not answer; try again.",
        2,
    ),
    PairUnavailableError: (
        "PAIR_UNAVAILABLE",
        "The market's worker does not answer; try again.",
        2,
    ),
}
