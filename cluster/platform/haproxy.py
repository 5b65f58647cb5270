"""HAProxy as Serve starts it: on loopback, with errors in JSON, tied to the life of Serve's proxy.

    python -I -S haproxy.py BINARY ARGUMENTS...

Serve writes HAProxy's configuration, opens its metrics port to every network, and answers in HTML
or plain text; this stands between the two, as `RAY_SERVE_HAPROXY_BINARY_PATH` allows. Nothing here
imports anything beyond the standard library, because it runs at every change of a route.
"""

import ctypes
import json
import os
import re
import shlex
import signal
import sys
from http import HTTPStatus
from pathlib import Path

_PR_SET_PDEATHSIG = 1
_RETRY_AFTER_S = 1

# What HAProxy says by itself. Serve would make one 500 of the last three; a client has to know
# whether its order may have been taken (502, 504) or was not (503). `speaking_json` has little
# room for the first five.
_REFUSALS = {
    400: ("MALFORMED", "Bad HTTP, or headers over 15 kB."),
    408: ("TIMEOUT", "The request did not arrive whole in time."),
    413: ("BODY_TOO_LARGE", "The body is too long."),
    500: ("INTERNAL", "The outcome is not known."),
    501: ("NOT_IMPLEMENTED", "The proxy does not know this encoding of a body."),
    502: ("OUTCOME_UNKNOWN", "The gateway broke off; it may have done what was asked."),
    503: ("UNAVAILABLE", "No gateway is up and free; nothing was done, try again."),
    504: ("OUTCOME_UNKNOWN", "The gateway did not answer in time; it may still do what was asked."),
}
_OWN_ANSWER = re.compile(rb"HTTP/1\.1 (\d{3}) [^\r\0]*\r\n[^\0]*?\r\n\r\n<html>[^\0]*(?=\0)")

# What servers behind it say in plain text. What Serve handed to an application bears an id, and
# orders, which go past Serve, are not answered so: a 400 without an id is uvicorn's. Serve's 404
# means that no gateway is known yet. The hub's protocol has errors of its own.
_BEHIND = """
    http-request set-var(txn.hub) bool(true) if { path_beg /socket.io }
    acl of_hub var(txn.hub) -m bool
    acl plain res.hdr(content-type) -m beg text/plain
    acl has_id res.hdr(x-request-id) -m found
    http-response return status 400 default-errorfiles if { status 400 } plain !has_id !of_hub
    http-response return status 503 default-errorfiles if { status 404 } plain !of_hub
    http-response return status 408 default-errorfiles if { status 408 } plain
    http-response return status 500 default-errorfiles if { status 500 } plain
    http-response return status 503 default-errorfiles if { status 503 } plain"""


# As Serve calls the application `gateway`.
_GATEWAYS = "http-gateway"
# Orders and batches that one gateway may have at a time. More would wait unread in its sockets,
# where it cannot refuse them, and a refusal costs it many times what it costs here. A request
# counts itself, until it is answered.
ORDERS_AT_ONCE = 256
_COUNT = """backend orders_under_way
    stick-table type integer size 1 store conn_cur

"""
_BOUND = f"""
    acl order path /orders /orders/batch
    http-request track-sc2 int(1) table orders_under_way if METH_POST order
    http-request set-var(txn.busy) sc_conn_cur(2) if METH_POST order
    acl counted var(txn.busy) -m found
    http-request set-var(txn.room) nbsrv({_GATEWAYS}),mul({ORDERS_AT_ONCE}),sub(txn.busy) if counted
    http-request return status 503 default-errorfiles if {{ var(txn.room) -m int lt 0 }}"""

# An order that is under way is not called back, whoever has gone away: its gateway need not watch
# the connection meanwhile, which costs two tasks a request. One that waits for its outcome is let
# go with its client.
_LEAN = """
    acl of_one_order path /orders
    acl waits query -m found
    http-request del-header x-request-disconnect-disabled
    http-request set-header x-request-disconnect-disabled ?1 if METH_POST of_one_order !waits"""


def write_launcher(directory: Path, binary: str) -> Path:
    """Write the executable to name to Serve; returns its path."""
    own = directory / "bin" / "haproxy"
    own.parent.mkdir(parents=True, exist_ok=True)
    # Unlinked first: a file that runs cannot be written.
    own.unlink(missing_ok=True)
    own.write_bytes(speaking_json(Path(binary).read_bytes()))
    own.chmod(0o755)
    libraries = own.with_name("lib")
    libraries.unlink(missing_ok=True)
    libraries.symlink_to(Path(binary).resolve().with_name("lib"))
    path = directory / "haproxy"
    command = shlex.join([sys.executable, "-I", "-S", str(Path(__file__).resolve()), str(own)])
    path.write_text(f'#!/bin/sh\nexec {command} "$@"\n')
    path.chmod(0o755)
    return path


def speaking_json(executable: bytes) -> bytes:
    """Return HAProxy's executable with the answers that it holds in JSON, each as long as before.

    What is no request at all its parser refuses before there is anything that a rule could be
    about, with constants of its own: no setting reaches them.
    """

    def translated(found: re.Match[bytes]) -> bytes:
        status, room = int(found[1]), len(found[0])
        if status not in _REFUSALS:
            return found[0]
        closes = "Connection: close\r\n" if b"Connection: close" in found[0] else ""
        head = (
            f"HTTP/1.1 {status} {HTTPStatus(status).phrase}\r\n{closes}"
            "Content-Type: application/json\r\nContent-Length: "
        )
        length = room - len(head) - len("100\r\n\r\n")
        answer = f"{head}{length:03}\r\n\r\n{_content(status).ljust(length)}".encode()
        return answer if len(answer) == room else found[0]

    return _OWN_ANSWER.sub(translated, executable)


def on_loopback(configuration: str) -> str:
    """Return the configuration with every address of this machine's own narrowed to loopback."""
    return re.sub(r"^(\s*bind )\*?:", r"\g<1>127.0.0.1:", configuration, flags=re.MULTILINE)


def in_json(configuration: str) -> str:
    """Return the configuration with every error in the shape that the API's own have."""
    without = re.sub(r"^\s*errorfile .*\n", "", configuration, flags=re.MULTILINE)
    refusals = "".join(f"\n    {_http_error(status)}" for status in _REFUSALS)
    told = re.sub(r"^defaults.*$", rf"\g<0>{refusals}", without, flags=re.MULTILINE)
    behind = re.sub(r"^frontend http_frontend$", rf"\g<0>{_BEHIND}", told, flags=re.MULTILINE)
    # Where no application has a route yet; what asks for no path (`OPTIONS *`) never finds one.
    return re.sub(
        r"^(\s*http-request return) status 404 content-type text/plain .*$",
        r"\g<1> status 400 default-errorfiles if !{ path_beg / }\n"
        r"\g<1> status 503 default-errorfiles",
        behind,
        flags=re.MULTILINE,
    )


def bounded(configuration: str) -> str:
    """Return the configuration with a bound of orders under way to gateways, where it has any."""
    if not re.search(rf"^backend {_GATEWAYS}$", configuration, flags=re.MULTILINE):
        return configuration
    return re.sub(
        r"^frontend http_frontend$",
        rf"{_COUNT}\g<0>{_BOUND}",
        configuration,
        flags=re.MULTILINE,
    )


def lean(configuration: str) -> str:
    """Return the configuration without a line of log for each request that went well."""
    quiet = re.sub(
        r"^defaults.*$", r"\g<0>\n    option dontlog-normal", configuration, flags=re.MULTILINE
    )
    return re.sub(r"^frontend http_frontend$", rf"\g<0>{_LEAN}", quiet, flags=re.MULTILINE)


def _http_error(status: int) -> str:
    line = f"http-error status {status} content-type application/json string '{_content(status)}'"
    return f"{line} hdr Retry-After {_RETRY_AFTER_S}" if status == 503 else line


def _content(status: int) -> str:
    code, message = _REFUSALS[status]
    content = {
        "statusCode": status,
        "error": HTTPStatus(status).phrase,
        "code": code,
        "message": message,
    }
    return json.dumps(content, separators=(",", ":"))


def main() -> None:
    """Rewrite the configuration that `-f` names, then become HAProxy."""
    binary, *arguments = sys.argv[1:]
    configuration = Path(arguments[arguments.index("-f") + 1])
    configuration.write_text(bounded(lean(in_json(on_loopback(configuration.read_text())))))
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, int(signal.SIGKILL), 0, 0, 0)
    os.execv(binary, [binary, *arguments])  # noqa: S606


if __name__ == "__main__":
    main()
