"""Refusals of the wire itself: what no handler is asked about, and the sentence for each."""

from http import HTTPStatus
from typing import Any

from api.asgi.errors import HttpError, error_content

# Of one WebSocket message and of one polling payload, in UTF-8.
MESSAGE_BYTES_MAX = 64 * 1024


def content_of(error: HttpError) -> dict[str, Any]:
    """Return the JSON object of a refusal."""
    return error_content(error.status, error.code, error.message)


def malformed(message: str) -> HttpError:
    """Return the refusal of what is no packet, no message or no JSON."""
    return HttpError(HTTPStatus.BAD_REQUEST, "MALFORMED", message)


def too_large() -> HttpError:
    """Return the refusal of a message or payload above the bound."""
    return HttpError(
        HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
        "MESSAGE_TOO_LARGE",
        f"The message is longer than {MESSAGE_BYTES_MAX:,} bytes; nothing of it was taken.",
    )


def ended_after(taken: int, *, of: int) -> HttpError:
    """Return the refusal of the rest of a payload in whose middle the session ended."""
    return HttpError(
        HTTPStatus.CONFLICT,
        "DISCONNECTED",
        f"The session has ended: {taken} of the {of} packets were taken.",
    )


def not_connected() -> HttpError:
    """Return the refusal of an event in a namespace that the session has not connected to."""
    return HttpError(HTTPStatus.CONFLICT, "NOT_CONNECTED", "Connect to the namespace first.")


def unknown_event(event: str, *, known: set[str]) -> HttpError:
    """Return the refusal of an event that nothing answers."""
    return HttpError(
        HTTPStatus.NOT_FOUND,
        "UNKNOWN_EVENT",
        f"There is no event {event[:40]!r}; there are {', '.join(sorted(known))}.",
    )


def unknown_namespace() -> HttpError:
    """Return the refusal of a connection to another namespace than the default one."""
    return HttpError(
        HTTPStatus.NOT_FOUND,
        "UNKNOWN_NAMESPACE",
        "There is no such namespace; connect to the default one, /.",
    )


def failed() -> HttpError:
    """Return what is told of an error that nobody foresaw."""
    status = HTTPStatus.INTERNAL_SERVER_ERROR
    return HttpError(status, "INTERNAL", "The hub failed; this is a bug.")
