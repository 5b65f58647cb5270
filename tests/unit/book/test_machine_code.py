"""The kernel's machine code: what it is made of, what it is given, and who can run it."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from actors.book.compiled import FEW, CompiledBook
from actors.book.kernel import memory
from actors.book.kernel.calls import calls_of
from actors.book.kernel.machine_code import sources
from actors.book.naive import NaiveBook
from actors.book.records import COMMAND_DTYPE, RecordArray
from actors.book.warm import warm
from tests.property.streams import ARENAS, stream
from tests.unit.book.desk import market

ROOT = Path(__file__).parents[3]
_RUN_A_BOOK = """
import sys
import numpy as np
from actors.book.compiled import CompiledBook
from tests.property.streams import ARENAS, stream
arena = ARENAS["crowded"]
book = CompiledBook(arena.market, initial_orders=2)
book.apply(stream(arena, seed=3, count=500))
copy = CompiledBook.restore(arena.market, book.snapshot())
assert book.depth(9)[0].size and book.orders(9)[0].size
assert copy.state_hash() == book.state_hash()
print(book.state_hash(), *(name for name in ("numba", "llvmlite") if name in sys.modules))
"""
_LIST_WHAT_IS_COMPILED = """
import sys, actors.book.kernel.compiler
for name, module in sys.modules.items():
    if name.startswith("actors.book.") and module.__file__:
        print(module.__file__)
"""


def _run(script: str) -> list[str]:
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True
    )
    return done.stdout.splitlines()


def test_a_process_that_runs_a_book_never_loads_numba() -> None:
    warm()
    arena = ARENAS["crowded"]
    here = CompiledBook(arena.market)
    here.apply(stream(arena, seed=3, count=500))
    assert _run(_RUN_A_BOOK) == [f"{here.state_hash()} llvmlite"]


def test_every_module_that_is_compiled_counts_for_the_code() -> None:
    """Or a change of it would leave the old machine code in use."""
    loaders = {"machine_code.py", "code_file.py"}
    compiled = {Path(line) for line in _run(_LIST_WHAT_IS_COMPILED)}
    counted = set(sources())
    missing = {path for path in compiled - counted if path.name not in {*loaders, "__init__.py"}}
    assert not missing
    assert len(counted) > 20


def _read_only(commands: RecordArray) -> RecordArray:
    return np.frombuffer(commands.tobytes(), COMMAND_DTYPE)


def _unaligned(commands: RecordArray) -> RecordArray:
    shifted = bytearray(b"\1" + commands.tobytes())
    return np.frombuffer(shifted, COMMAND_DTYPE, offset=1)


def _every_other(commands: RecordArray) -> RecordArray:
    return np.repeat(commands, 2)[::2]


@pytest.mark.parametrize("count", [0, 1, FEW, FEW + 1, 3 * FEW])
@pytest.mark.parametrize("laid_out", [np.copy, _read_only, _unaligned, _every_other])
def test_commands_are_read_wherever_they_lie(count: int, laid_out: type[RecordArray]) -> None:
    arena = ARENAS["crowded"]
    commands = stream(arena, seed=5, count=3 * FEW)[:count]
    naive, compiled = NaiveBook(arena.market), CompiledBook(arena.market)
    expected = naive.apply(commands)
    assert compiled.apply(laid_out(commands)).events.tobytes() == expected.events.tobytes()
    assert compiled.state_hash() == naive.state_hash()


@pytest.mark.parametrize(
    ("name", "part"),
    [
        ("events", np.s_[:, 1:]),
        ("ticks", np.s_[1:]),
        ("directory", np.s_[1:]),
        ("bits", np.s_[1:]),
        ("touched", np.s_[1:]),
        ("state", np.s_[np.newaxis]),
    ],
)
def test_arrays_of_another_layout_are_refused(name: str, part: slice) -> None:
    book = memory.allocate(market(), orders=8, client_ids=8)
    array = getattr(book, name)
    for other in (np.ascontiguousarray(array[part]), array.astype(np.float64)):
        with pytest.raises(ValueError, match=f"{name} is not the array of a book"):
            calls_of(book._replace(**{name: other}))
