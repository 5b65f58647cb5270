"""A running platform asked whatever its own OpenAPI document allows, for a bounded time."""

import time
from typing import Any

import schemathesis
from hypothesis import HealthCheck, Phase, given, seed, settings
from schemathesis import APIOperation, Case
from schemathesis.checks import CheckFunction, not_a_server_error
from schemathesis.core.result import Ok
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from cluster.tools.platforms import RunningPlatform

_Operation = APIOperation[Any, Any, Any, Any]
_Case = Case[_Operation]

_SEED = 20_261_127
_EXAMPLES = 12
_SECONDS_MAX = 60.0
_CHECKS: list[CheckFunction] = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
]


def test_whatever_the_document_allows_is_answered_as_it_says(
    running_platform: RunningPlatform,
) -> None:
    document = schemathesis.openapi.from_url(f"{running_platform.url}/openapi.json")
    operations: list[_Operation] = []
    for found in document.get_all_operations():
        assert isinstance(found, Ok), found
        operations.append(found.ok())
    assert len(operations) >= 20
    deadline_s = time.monotonic() + _SECONDS_MAX
    asked = {operation.label: _ask(operation, deadline_s) for operation in operations}
    assert all(asked.values()), f"not asked within {_SECONDS_MAX:g} s: {asked}"


def _ask(operation: _Operation, deadline_s: float) -> int:
    """Put questions that fit an operation until the time is over; return how many were put."""
    count = 0

    @seed(_SEED)
    @settings(
        max_examples=_EXAMPLES,
        deadline=None,
        database=None,
        phases=[Phase.explicit, Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy())
    def ask(case: _Case) -> None:
        nonlocal count
        if time.monotonic() > deadline_s and count:
            return
        count += 1
        if count % 2:
            _name_a_market(case)
        case.validate_response(case.call(timeout=20), checks=_CHECKS)

    ask()
    return count


def _name_a_market(case: _Case) -> None:
    """Let a question be about a market that there is: what is drawn names none."""
    for values, name in (
        (case.path_parameters, "pair"),
        (case.query, "tradingPair"),
        (case.body, "tradingPair"),
    ):
        if isinstance(values, dict) and name in values:
            values[name] = "BTC-USD"
