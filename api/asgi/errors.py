"""Errors of HTTP itself, and the JSON that every error is told in."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

import msgspec
from starlette.responses import Response

_SENTENCE_CHARACTERS = 300


class HttpError(Exception):
    """A request that is refused before any exchange is asked."""

    def __init__(
        self,
        status: HTTPStatus,
        code: str,
        message: str,
        *,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.headers = dict(headers or {})

    def response(self) -> Response:
        """Return the answer that says so."""
        content = error_content(self.status, self.code, self.message)
        return json_response(content, status=self.status, headers=self.headers)


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
    content: Any, *, status: int = HTTPStatus.OK, headers: Mapping[str, str] | None = None
) -> Response:
    """Return an answer whose body is the content as JSON."""
    return Response(msgspec.json.encode(content), status, headers, "application/json")
