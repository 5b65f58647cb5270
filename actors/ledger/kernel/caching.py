"""Compilation of the ledger's entries, which numba runs.

Only entries are cached: numba notices a change in an entry's own file and in its closure, not in
the functions that it calls. Every entry therefore closes over `source_digest()` of the kernel's
sources, and a change in any of them compiles anew.
"""

import hashlib
import inspect
from collections.abc import Callable, Iterable
from types import ModuleType
from typing import ParamSpec, TypeVar, cast

import numba
import numpy as np

from actors.book.kernel.jit import OPTIONS
from actors.book.kernel.machine_code import INTERPRETED

P = ParamSpec("P")
R = TypeVar("R")


def entry(function: Callable[P, R]) -> Callable[P, R]:
    """Compile a function that Python calls, and keep the machine code on disk."""
    if not INTERPRETED:
        return cast(Callable[P, R], numba.njit(cache=True, nogil=True, **OPTIONS)(function))

    def interpreted(*args: P.args, **kwargs: P.kwargs) -> R:
        # Machine integers wrap silently, numpy's warn: the hashes mean to wrap.
        with np.errstate(over="ignore"):
            return function(*args, **kwargs)

    return interpreted


def source_digest(modules: Iterable[ModuleType]) -> int:
    """Return 63 bits that change with the source text of any of these modules."""
    digest = hashlib.sha256()
    for module in modules:
        digest.update(inspect.getsource(module).encode())
    return int.from_bytes(digest.digest()[:8], "little") >> 1
