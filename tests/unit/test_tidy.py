"""What the style asks of every file, kept by a test."""

import ast
import re
import subprocess
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from vulture import Vulture
from vulture.core import Item

_ROOT = Path(__file__).resolve().parents[2]
_LINES_MAX = 600
_CHARACTERS_MAX = 100
_FUNCTION_LINES_MAX = 70
_PRODUCT = ("actors", "analytics", "api", "cluster")
# Definitions that others call by name.
_CALLED_FROM_OUTSIDE = {
    "EVENTS": "the feed's payloads by event: tests hold every message against them",
    "_engineio_server_class": "python-socketio asks for it",
    "_handle_eio_message": "python-socketio's, overridden",
    **dict.fromkeys(
        ("connection_lost", "datagram_received", "pause_writing"),
        "asyncio calls them on a protocol",
    ),
    "build": "aiokafka asks a request for it",
    "create_queue": "python-engineio's, overridden",
    "handle_parser_exception": "uvicorn's, overridden",
    "handle_post_request": "python-engineio's, overridden",
    **dict.fromkeys(
        ("asset_symbol", "decode_journal", "encode_journal", "moved_by", "over_before"),
        "the ledger's face to those who feed it and read it",
    ),
    "encode_client_order_id": "the way back of the decoding; tests write commands with it",
    "forkast": "tests run the command line with it",
    "local_exchange": "notebooks open it",
    "left_of": "tests look for what a platform left with it",
    "metrics_ports": "tests read the metrics of Ray's agents there",
    "start_api_server": "Ray's node, overridden",
}
# Functions that FastAPI calls: they stand under its decorators.
_ROUTES = ("@app.*", "@router.*")
# Split, so that this file does not name them.
_UNFINISHED = ("TO" + "DO", "FIX" + "ME", "XX" + "X")
_TEXT = (".py", ".sql", ".md", ".toml", ".sh", "")


def _files() -> list[Path]:
    listed = subprocess.run(
        ["git", "ls-files", "--cached"], cwd=_ROOT, capture_output=True, text=True, check=True
    )
    return [
        path
        for line in listed.stdout.splitlines()
        if (path := _ROOT / line).is_file() and path.suffix in _TEXT and path.name != "LICENSE"
    ]


def _told(path: Path, number: int) -> str:
    return f"{path.relative_to(_ROOT)}:{number}"


@pytest.fixture(scope="module")
def code() -> dict[Path, list[str]]:
    return {path: path.read_text().splitlines() for path in _files() if path.suffix == ".py"}


def test_no_file_is_longer_than_six_hundred_lines(code: dict[Path, list[str]]) -> None:
    assert code
    assert not [_told(path, len(lines)) for path, lines in code.items() if len(lines) > _LINES_MAX]


def test_no_line_is_longer_than_a_hundred_characters(code: dict[Path, list[str]]) -> None:
    assert not [
        _told(path, number)
        for path, lines in code.items()
        for number, line in enumerate(lines, start=1)
        if len(re.sub(r"  # (type: ignore|noqa).*", "", line)) > _CHARACTERS_MAX
    ]


def test_nothing_is_left_to_be_done_later() -> None:
    assert not [
        _told(path, number)
        for path in _files()
        for number, line in enumerate(path.read_text().splitlines(), start=1)
        if any(word in line for word in _UNFINISHED)
    ]


def test_every_module_has_a_docstring(code: dict[Path, list[str]]) -> None:
    assert not [
        _told(path, 1)
        for path, lines in code.items()
        if not path.is_relative_to(_ROOT / "tests")
        and path.name != "__main__.py"
        and not (lines and lines[0].lstrip("r").startswith('"""'))
    ]


def test_one_file_alone_asks_for_stored_positions(code: dict[Path, list[str]]) -> None:
    asks = re.compile(r"\b(FROM|INTO|UPDATE)\s+consumer_positions\b")
    found = {
        path.relative_to(_ROOT).as_posix()
        for path, lines in code.items()
        if path.relative_to(_ROOT).parts[0] != "tests" and asks.search("\n".join(lines))
    }
    assert found == {"actors/follow/positions.py"}


def test_no_function_is_longer_than_seventy_lines(code: dict[Path, list[str]]) -> None:
    assert not [
        f"{_told(path, function.lineno)} {function.name}"
        for path, lines in code.items()
        for function in ast.walk(ast.parse("\n".join(lines)))
        if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef)
        and function.end_lineno is not None
        and function.end_lineno - function.lineno >= _FUNCTION_LINES_MAX
    ]


def test_nothing_is_defined_that_no_other_code_of_the_product_names(
    code: dict[Path, list[str]],
) -> None:
    product = {
        path: lines for path, lines in code.items() if path.relative_to(_ROOT).parts[0] in _PRODUCT
    }
    search = Vulture(ignore_decorators=_ROUTES)
    for path, lines in product.items():
        search.scan("\n".join(lines), filename=path)
    unused = {item.name: item for item in _definitions(search, product)}
    assert not [
        f"{_told(item.filename, item.first_lineno)} {name}"
        for name, item in unused.items()
        if name not in _CALLED_FROM_OUTSIDE and not _is_command(item)
    ]
    assert _CALLED_FROM_OUTSIDE.keys() <= unused.keys(), "an exception that nothing needs"


def test_no_two_errors_of_the_product_have_one_name(code: dict[Path, list[str]]) -> None:
    named = [
        node.name
        for path, lines in code.items()
        if path.relative_to(_ROOT).parts[0] in _PRODUCT
        for node in ast.walk(ast.parse("\n".join(lines)))
        if isinstance(node, ast.ClassDef) and node.name.endswith("Error")
    ]
    assert named
    assert not [name for name, times in Counter(named).items() if times > 1]


def _is_command(item: Item) -> bool:
    """Say whether this is the command of its file, which the command line loads by its name."""
    return bool(item.filename.parent == _ROOT / "cluster/cli" and item.filename.stem == item.name)


def _definitions(search: Vulture, product: dict[Path, list[str]]) -> Iterator[Item]:
    """Yield what is defined and not used; of variables only those of modules."""
    yield from search.unused_classes
    yield from search.unused_funcs
    yield from search.unused_methods
    yield from search.unused_props
    for item in search.unused_vars:
        line = product[item.filename][item.first_lineno - 1]
        if not line.startswith(" "):
            yield item
