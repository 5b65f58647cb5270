"""What the cached machine code depends on, and what a change of it does."""

import ast
import inspect
from types import ModuleType

import pytest

from actors.ledger.kernel import entries
from actors.ledger.kernel.caching import source_digest

# What compiles, and what compiled code is never made of.
_COMPILERS = {
    "actors.book.kernel.jit",
    "actors.book.kernel.machine",
    "actors.ledger.kernel.caching",
}
# The layout of the book's own tables, of which only the type of an array is taken; assets are
# arguments of what Python alone calls.
_TYPES_ONLY = {"actors.book.kernel.layout", "actors.ledger.assets"}


def imported_by(module: ModuleType) -> set[str]:
    """Return the project's modules from which a module takes names."""
    found = [
        node
        for node in ast.walk(ast.parse(inspect.getsource(module)))
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("actors.")
    ]
    packages = ("actors.book", "actors.ledger")
    return {
        f"{node.module}.{name.name}" if node.module in packages else node.module or ""
        for node in found
        for name in node.names
    }


@pytest.mark.parametrize(
    "module", [one for one in entries.SOURCES if one.__name__ not in _COMPILERS]
)
def test_machine_code_is_compiled_anew_when_anything_that_it_is_made_of_changes(
    module: ModuleType,
) -> None:
    known = {one.__name__ for one in entries.SOURCES}
    assert imported_by(module) - known - _TYPES_ONLY == set()


def test_records_and_vocabularies_are_part_of_the_digest() -> None:
    names = ("actors.book", "actors.ledger")
    parts = {f"{name}.{part}" for name in names for part in ("records", "vocabulary")}
    assert parts <= {one.__name__ for one in entries.SOURCES}
    without = [one for one in entries.SOURCES if one.__name__ not in parts]
    assert source_digest(without) != source_digest(entries.SOURCES)
