"""How the kernel's functions are compiled, in one place.

Only entries are cached: numba notices a change in an entry's own file and in its closure, not in
the functions that it calls. Every entry therefore closes over `fingerprint()` of the kernel's
sources, and a change in any of them compiles anew.

`_nrt=False` leaves reference counting out: the kernel allocates nothing, and every array is kept
alive by its caller. It more than halves the cost of a call with twelve arrays.
"""

import hashlib
import inspect
from collections.abc import Callable, Iterable
from types import ModuleType
from typing import Any, ParamSpec, TypeVar, cast

import numba
import numpy as np

P = ParamSpec("P")
R = TypeVar("R")
_OPTIONS: dict[str, Any] = {"nogil": True, "error_model": "numpy", "_nrt": False}


def inner(function: Callable[P, R]) -> Callable[P, R]:
    """Compile a function that only the kernel calls."""
    return cast(Callable[P, R], numba.njit(**_OPTIONS)(function))


def inlined(function: Callable[P, R]) -> Callable[P, R]:
    """Compile a function into each of its callers: for the hot path."""
    return cast(Callable[P, R], numba.njit(forceinline=True, **_OPTIONS)(function))


def entry(function: Callable[P, R]) -> Callable[P, R]:
    """Compile a function that Python calls, and keep the machine code on disk."""
    if not vars(numba.config)["DISABLE_JIT"]:
        return cast(Callable[P, R], numba.njit(cache=True, **_OPTIONS)(function))

    def interpreted(*args: P.args, **kwargs: P.kwargs) -> R:
        # Machine integers wrap silently, numpy's warn: the hashes mean to wrap.
        with np.errstate(over="ignore"):
            return function(*args, **kwargs)

    return interpreted


def fingerprint(modules: Iterable[ModuleType]) -> int:
    """Return 63 bits that change with the source text of any of these modules."""
    digest = hashlib.sha256()
    for module in modules:
        digest.update(inspect.getsource(module).encode())
    return int.from_bytes(digest.digest()[:8], "little") >> 1
