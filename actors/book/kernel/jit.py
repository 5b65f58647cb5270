"""Compilation of the kernel's functions, in one place.

Only entries are cached: numba notices a change in an entry's own file and in its closure, not in
the functions that it calls. Every entry therefore closes over `fingerprint()` of the kernel's
sources, and a change in any of them compiles anew.

`_nrt=False` leaves reference counting out: the kernel allocates nothing, and every array is kept
alive by its caller. It more than halves the cost of a call with so many arrays.

As Python does, numba takes an index below zero to count from the end, which costs each access a
comparison and a selection. `index` says where an index comes from memory that it cannot be one.
"""

import hashlib
import inspect
from collections.abc import Callable, Iterable
from types import ModuleType
from typing import Any, ParamSpec, TypeVar, cast

import numba
import numpy as np
from numba.extending import intrinsic

P = ParamSpec("P")
R = TypeVar("R")
INTERPRETED = bool(vars(numba.config)["DISABLE_JIT"])
_OPTIONS: dict[str, Any] = {"nogil": True, "error_model": "numpy", "_nrt": False}


def inner(function: Callable[P, R]) -> Callable[P, R]:
    """Compile a function that only the kernel calls."""
    return cast(Callable[P, R], numba.njit(**_OPTIONS)(function))


def inlined(function: Callable[P, R]) -> Callable[P, R]:
    """Compile a function into each of its callers: for the hot path."""
    return cast(Callable[P, R], numba.njit(forceinline=True, **_OPTIONS)(function))


def entry(function: Callable[P, R]) -> Callable[P, R]:
    """Compile a function that Python calls, and keep the machine code on disk."""
    if not INTERPRETED:
        return cast(Callable[P, R], numba.njit(cache=True, **_OPTIONS)(function))

    def interpreted(*args: P.args, **kwargs: P.kwargs) -> R:
        # Machine integers wrap silently, numpy's warn: the hashes mean to wrap.
        with np.errstate(over="ignore"):
            return function(*args, **kwargs)

    return interpreted


def _assumed_not_negative(_context: Any, number: Any) -> tuple[Any, Callable[..., Any]]:
    def generate(_context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        (value,) = arguments
        builder.assume(builder.icmp_signed(">=", value, value.type(0)))
        return value

    return number(number), generate


def _itself(number: int) -> int:
    return number


index: Callable[[int], int] = cast(
    Callable[[int], int], _itself if INTERPRETED else intrinsic(_assumed_not_negative)
)
"""Return a number that is not negative, and let the compiler rely on that."""


def fingerprint(modules: Iterable[ModuleType]) -> int:
    """Return 63 bits that change with the source text of any of these modules."""
    digest = hashlib.sha256()
    for module in modules:
        digest.update(inspect.getsource(module).encode())
    return int.from_bytes(digest.digest()[:8], "little") >> 1
