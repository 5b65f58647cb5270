"""What the style asks of every file, kept by a test."""

import re
import subprocess
from pathlib import Path

import pytest

_ROOT = Path(__file__).resolve().parents[2]
_LINES_MAX = 600
_CHARACTERS_MAX = 100
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
