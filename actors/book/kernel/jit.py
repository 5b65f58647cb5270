"""Compilation of the kernel's functions, in one place.

`_nrt=False` leaves reference counting out: the kernel allocates nothing, and every array is kept
alive by its caller.

As Python does, numba takes an index below zero to count from the end, which costs each access a
comparison and a selection. `index` says where an index comes from memory that it cannot be one.
"""

from collections.abc import Callable
from typing import Any, ParamSpec, TypeVar, cast

import numba
from numba.extending import intrinsic

from actors.book.kernel.machine_code import INTERPRETED

P = ParamSpec("P")
R = TypeVar("R")
OPTIONS: dict[str, Any] = {"error_model": "numpy", "_nrt": False}


def inner(function: Callable[P, R]) -> Callable[P, R]:
    """Compile a function that only the kernel calls."""
    return cast(Callable[P, R], numba.njit(**OPTIONS)(function))


def inlined(function: Callable[P, R]) -> Callable[P, R]:
    """Compile a function into each of its callers: for the hot path."""
    return cast(Callable[P, R], numba.njit(forceinline=True, **OPTIONS)(function))


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
