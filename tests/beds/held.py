"""What the exchange says, held against its OpenAPI document and the schema of its feed."""

import copy
import re
from typing import Any

import httpx
import jsonschema
import msgspec

from api.hub.messages import EVENTS

_SCHEMAS = "#/components/schemas/"
# Refusals that any path may answer with, documented once in the document's introduction.
_ANYWHERE = frozenset({400, 403, 404, 405, 413, 415, 421, 500})


class HeldClient(httpx.AsyncClient):
    """A client of a served application, each of whose answers is held against its document."""

    def __init__(self, document: dict[str, Any], **options: Any) -> None:
        super().__init__(**options)
        self._document = _strict(document)
        self._paths = {
            re.compile(re.sub(r"\{[^}]+\}", "[^/]+", path)): operations
            for path, operations in document["paths"].items()
        }

    async def send(self, request: httpx.Request, **options: Any) -> httpx.Response:
        """Return the answer. Raises AssertionError where the document does not know it."""
        response = await super().send(request, **options)
        self._hold(request, response)
        return response

    def _hold(self, request: httpx.Request, response: httpx.Response) -> None:
        if request.method in ("HEAD", "OPTIONS"):
            return
        where = f"{request.method} {request.url.path}: {response.status_code}"
        answers = self._answers(request.method, request.url.path)
        if answers is None and response.status_code < 300:
            return
        answer = (answers or {}).get(str(response.status_code))
        if answer is None:
            assert response.status_code in _ANYWHERE, f"{where} is not documented"
            schema: dict[str, Any] = {"$ref": f"{_SCHEMAS}Error"}
        elif "application/json" not in answer["content"]:
            return
        else:
            schema = answer["content"]["application/json"]["schema"]
        assert response.headers["content-type"] == "application/json", where
        errors = list(_validator(schema, self._document).iter_errors(response.json()))
        assert not errors, f"{where}: {errors[0].message} at {errors[0].json_path}"

    def _answers(self, method: str, path: str) -> dict[str, Any] | None:
        # A path without parameters comes before one with them, as the routes do.
        for pattern in sorted(self._paths, key=lambda one: one.pattern.count("[")):
            if pattern.fullmatch(path) and method.lower() in self._paths[pattern]:
                found: dict[str, Any] = self._paths[pattern][method.lower()]["responses"]
                return found
        return None


def hold_event(event: str, payload: Any) -> None:
    """Raise AssertionError where a payload does not fit the schema of its event."""
    assert event in EVENTS, f"{event} is no event of the feed"
    errors = list(_validator(*_event_schema(event)).iter_errors(payload))
    assert not errors, f"{event}: {errors[0].message} at {errors[0].json_path}"


def _event_schema(event: str) -> tuple[dict[str, Any], dict[str, Any]]:
    if event not in _event_schemas:
        kinds, schemas = msgspec.json.schema_components(
            EVENTS[event], ref_template=f"{_SCHEMAS}{{name}}"
        )
        document = _strict({"components": {"schemas": schemas}})
        _event_schemas[event] = {"anyOf": list(kinds)}, document
    return _event_schemas[event]


_event_schemas: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {}


def _validator(schema: dict[str, Any], document: dict[str, Any]) -> Any:
    return jsonschema.Draft202012Validator({**schema, "components": document["components"]})


def _strict(document: dict[str, Any]) -> dict[str, Any]:
    """Return a document whose objects have no other fields than those that it names."""
    strict = copy.deepcopy(document)
    for schema in strict["components"]["schemas"].values():
        schema.setdefault("additionalProperties", False)
    return strict
