"""Instructions of the processor for which Python has no word: each in one, and in plain Python.

Where the kernel is interpreted, words are numpy's 64-bit integers or Python's own.
"""

from collections.abc import Callable
from typing import Any, cast

import numpy as np
from llvmlite import ir
from numba.core import cgutils, types
from numba.extending import intrinsic
from numba.np import arrayobj

from actors.book.kernel.jit import inlined
from actors.book.kernel.layout import EVENT_WORDS, Ticks, Words
from actors.book.kernel.machine_code import INTERPRETED

_WORD_BITS = 64
_ALL_BITS = 2**_WORD_BITS - 1


@inlined
def bit(place: int) -> int:
    """Return the word in which only the bit at `place` (0 to 63) is set."""
    return np.int64(1) << np.int64(place)  # type: ignore[return-value]


def _highest_bit(_context: Any, word: Any) -> tuple[Any, Callable[..., Any]]:
    def generate(_context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        (value,) = arguments
        leading = builder.ctlz(value, ir.Constant(ir.IntType(1), 1))
        return builder.xor(leading, ir.Constant(value.type, _WORD_BITS - 1))

    return types.int64(types.int64), generate


def _highest_bit_interpreted(word: int) -> int:
    return (int(word) & _ALL_BITS).bit_length() - 1


highest_bit: Callable[[int], int] = cast(
    Callable[[int], int], _highest_bit_interpreted if INTERPRETED else intrinsic(_highest_bit)
)
"""Return the place of the highest bit that is set in a word other than 0."""


def _lowest_bit(_context: Any, word: Any) -> tuple[Any, Callable[..., Any]]:
    def generate(_context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        (value,) = arguments
        return builder.cttz(value, ir.Constant(ir.IntType(1), 1))

    return types.int64(types.int64), generate


def _lowest_bit_interpreted(word: int) -> int:
    return _highest_bit_interpreted(int(word) & -int(word))


lowest_bit: Callable[[int], int] = cast(
    Callable[[int], int], _lowest_bit_interpreted if INTERPRETED else intrinsic(_lowest_bit)
)
"""Return the place of the lowest bit that is set in a word other than 0."""


def _fetch(_context: Any, rows: Any, row: Any, word: Any) -> tuple[Any, Callable[..., Any]]:
    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        address = _address(context, builder, signature.args[0], arguments[0], arguments[1:])
        whole = ir.IntType(32)
        pointer = cgutils.voidptr_t
        kind = ir.FunctionType(ir.VoidType(), [pointer, whole, whole, whole])
        prefetch = builder.module.declare_intrinsic("llvm.prefetch", [pointer], kind)
        address = builder.bitcast(address, pointer)
        # For reading and writing alike, into all caches, of data.
        builder.call(prefetch, [address, whole(0), whole(3), whole(1)])
        return context.get_dummy_value()

    return types.void(rows, types.int64, types.int64), generate


def _address(context: Any, builder: Any, rows_type: Any, rows: Any, place: tuple[Any, Any]) -> Any:
    """Return where in memory a word of a row stands; a flat array has rows of one."""
    array = arrayobj.make_array(rows_type)(context, builder, rows)
    _, *widths = cgutils.unpack_tuple(builder, array.shape)
    first = builder.mul(place[0], widths[0]) if widths else place[0]
    offset = builder.add(first, place[1])
    return builder.gep(array.data, [offset])


def _fetch_interpreted(rows: Words | Ticks, row: int, word: int) -> None:
    return None


fetch: Callable[[Words | Ticks, int, int], None] = cast(
    Callable[[Words | Ticks, int, int], None],
    _fetch_interpreted if INTERPRETED else intrinsic(_fetch),
)
"""Ask the caches early for a word of a row; no such row is no error."""


def _copy_row(
    _context: Any, target: Any, at: Any, source: Any, row: Any
) -> tuple[Any, Callable[..., Any]]:
    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        zero = ir.Constant(arguments[1].type, 0)
        to = _address(context, builder, signature.args[0], arguments[0], (arguments[1], zero))
        of = _address(context, builder, signature.args[2], arguments[2], (arguments[3], zero))
        cgutils.raw_memcpy(builder, to, of, ir.Constant(ir.IntType(64), EVENT_WORDS), 8, 8)
        return context.get_dummy_value()

    return types.void(target, types.int64, source, types.int64), generate


def _copy_row_interpreted(target: Words, at: int, source: Words, row: int) -> None:
    target[at] = source[row]


copy_row: Callable[[Words, int, Words, int], None] = cast(
    Callable[[Words, int, Words, int], None],
    _copy_row_interpreted if INTERPRETED else intrinsic(_copy_row),
)
"""Copy a row of EVENT_WORDS words to a place in another array, in the widest moves there are."""


def _array_of(kind: Any) -> Callable[[Any, Any, Any], tuple[Any, Callable[..., Any]]]:
    def array(_context: Any, address: Any, shape: Any) -> tuple[Any, Callable[..., Any]]:
        def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            pointer = types.CPointer(kind)
            start = builder.inttoptr(arguments[0], context.get_value_type(pointer))
            made = signature.return_type(pointer, shape)
            return arrayobj.np_cfarray(context, builder, made, (start, arguments[1]))

        return types.Array(kind, len(shape), "C")(address, shape), generate

    return array


words_at: Callable[[int, tuple[int, ...]], Words] = cast(
    Callable[[int, tuple[int, ...]], Words], intrinsic(_array_of(types.int64))
)
"""Return the words of this shape that begin at an address. Interpreted code has no use for it."""

ticks_at: Callable[[int, tuple[int, ...]], Ticks] = cast(
    Callable[[int, tuple[int, ...]], Ticks], intrinsic(_array_of(types.int32))
)
"""Return the ticks of this shape that begin at an address. Interpreted code has no use for it."""
