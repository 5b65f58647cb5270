"""The one rule for REST, page and hub: which pages may call, and which host names are ours."""

import re
from collections.abc import Collection
from urllib.parse import urlsplit

_LOOPBACK_HOST = (
    r"(?:localhost|(?:[a-z0-9_-]+\.)+localhost|127(?:\.\d{1,3}){3}|\[::1\])(?::\d{1,5})?"
)
_LOOPBACK = re.compile(_LOOPBACK_HOST, re.ASCII | re.IGNORECASE)
_LOOPBACK_ORIGIN = re.compile(f"https?://{_LOOPBACK_HOST}", re.ASCII | re.IGNORECASE)
_ALL = "*"


def is_allowed_origin(origin: str, *, allowed: Collection[str], host: str = "") -> bool:
    """Say whether a page of this origin may call; `host` is the request's own Host header.

    Pages of loopback may, those of the gateway itself, and those of the origins `allowed`.
    """
    if _ALL in allowed or origin in allowed or _LOOPBACK_ORIGIN.fullmatch(origin):
        return True
    return bool(host) and _netloc(origin) == host.lower()


def is_known_host(host: str, *, allowed: Collection[str]) -> bool:
    """Say whether a Host header may reach a server that listens on loopback.

    A page whose name was made to lead to 127.0.0.1 (DNS rebinding) is of the same origin as the
    server that it reaches, so its name is all that tells it from the server's own pages. Known are
    loopback names and the hosts of the origins `allowed`, at any port.
    """
    if _ALL in allowed or _LOOPBACK.fullmatch(host):
        return True
    name = _hostname(f"//{host}")
    return bool(name) and any(name == _hostname(origin) for origin in allowed)


def _netloc(url: str) -> str:
    try:
        return urlsplit(url).netloc.lower()
    except ValueError:
        return ""


def _hostname(url: str) -> str:
    try:
        return urlsplit(url).hostname or ""
    except ValueError:
        return ""
