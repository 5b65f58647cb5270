"""Finding of a check: a state, a sentence, and what to do where it is not well."""

from collections.abc import Awaitable, Callable
from typing import Literal

import msgspec


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """One line of the doctor's report; `remedy` says what to do and is empty where all is well."""

    area: str
    check: str
    state: Literal["ok", "warning", "wrong"]
    told: str
    remedy: str = ""


def ok(area: str, check: str, told: str) -> Finding:
    """Report that something is well."""
    return Finding(area=area, check=check, state="ok", told=told)


def warning(area: str, check: str, told: str, remedy: str) -> Finding:
    """Report what works now and may not later."""
    return Finding(area=area, check=check, state="warning", told=told, remedy=remedy)


def wrong(area: str, check: str, told: str, remedy: str) -> Finding:
    """Report what does not work."""
    return Finding(area=area, check=check, state="wrong", told=told, remedy=remedy)


Check = Callable[[], Awaitable[list[Finding]]]
