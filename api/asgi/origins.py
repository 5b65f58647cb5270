"""Which pages may talk to the API from another origin: loopback ones, and those of a setting."""

import re
from collections.abc import Collection
from urllib.parse import urlsplit

LOOPBACK_ORIGIN = re.compile(
    r"https?://(localhost|[a-z0-9-]+\.localhost|127(\.\d{1,3}){3}|\[::1\])(:\d{1,5})?",
    re.ASCII | re.IGNORECASE,
)


def is_allowed_origin(origin: str, *, allowed: Collection[str], host: str = "") -> bool:
    """Say whether a page of this origin may call; `host` is the request's own Host header."""
    if "*" in allowed or origin in allowed or LOOPBACK_ORIGIN.fullmatch(origin):
        return True
    return bool(host) and urlsplit(origin).netloc.lower() == host.lower()
