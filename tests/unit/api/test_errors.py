"""Errors as clients see them."""

import json
from collections.abc import Callable
from http import HTTPStatus

import pytest

from actors.book.reasons import SENTENCES, Reason
from actors.platform.errors import (
    ForkastError,
    LogTimeoutError,
    LogUnavailableError,
    PairUnavailableError,
    QueueFullError,
    StorageUnavailableError,
)
from api.asgi.errors import HttpError
from api.exchange.refusals import (
    InvalidError,
    OutcomeUnknownError,
    changing_unknown,
    malformed,
    placing_unknown,
    refusal,
)
from api.json.errors import content_of
from api.rest.door import answer_error


@pytest.mark.parametrize(
    "reason", [reason for reason in Reason if reason not in (Reason.NONE, Reason.FENCED)]
)
def test_every_reason_of_the_book_is_a_refusal_with_its_code_and_a_sentence(
    reason: Reason,
) -> None:
    content = content_of(refusal(reason))
    assert content.keys() == {"statusCode", "error", "code", "message"}
    assert 400 <= content["statusCode"] < 500
    assert content["code"] == reason.name
    assert content["message"] == SENTENCES[reason]


def test_an_order_that_was_fenced_out_may_be_sent_again() -> None:
    content = content_of(refusal(Reason.FENCED))
    assert (content["statusCode"], content["code"]) == (503, "FENCED")
    assert content["retryAfter"] == 1


@pytest.mark.parametrize(
    "error",
    [
        QueueFullError("full"),
        LogTimeoutError("asked for the log's end"),
        LogUnavailableError("away", retryable=True),
        StorageUnavailableError("away"),
        PairUnavailableError("away"),
        ForkastError("something else"),
    ],
)
def test_what_was_not_done_is_503_and_says_when_to_try_again(error: ForkastError) -> None:
    response = answer_error(error)
    assert response.status_code == 503
    assert int(response.headers["Retry-After"]) >= 1
    content = json.loads(bytes(response.body))
    assert content["retryAfter"] == int(response.headers["Retry-After"])
    assert "orderId" not in content


@pytest.mark.parametrize("unknown", [placing_unknown, changing_unknown])
def test_an_unknown_outcome_is_504_and_names_the_order(
    unknown: Callable[[int], OutcomeUnknownError],
) -> None:
    content = content_of(unknown(5))
    assert content["statusCode"] == 504
    assert content["orderId"] == "5"
    assert "not known" in content["message"]


def test_an_error_about_one_order_can_be_told_about_another() -> None:
    refused = OutcomeUnknownError("OUTCOME_UNKNOWN", "Not known.", order_id=5).about(6)
    assert content_of(refused)["orderId"] == "6"
    assert "orderId" not in content_of(malformed("Bad.").about(6))


def test_what_a_client_sent_cannot_break_the_answer() -> None:
    response = answer_error(InvalidError("MALFORMED", "\ud800" + "x" * 10_000))
    assert len(json.loads(bytes(response.body))["message"]) <= 300


def test_an_error_of_http_itself_has_the_same_shape() -> None:
    response = HttpError(HTTPStatus.NOT_FOUND, "NOWHERE", "There is nothing.").response()
    assert json.loads(bytes(response.body)) == {
        "statusCode": 404,
        "error": "Not Found",
        "code": "NOWHERE",
        "message": "There is nothing.",
    }


def test_a_bug_is_no_refusal() -> None:
    with pytest.raises(ZeroDivisionError):
        answer_error(ZeroDivisionError())
