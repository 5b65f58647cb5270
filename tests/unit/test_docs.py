"""What the docs name is there: pages, headings, files and commands."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote

import pytest

_ROOT = Path(__file__).resolve().parents[2]
_FENCE = re.compile(r"^ *```.*?^ *```", re.DOTALL | re.MULTILINE)
_SPAN = re.compile(r"`([^`]+)`")
_LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
_HEADING = re.compile(r"^#{1,6} +(.*?) *$", re.MULTILINE)
_COMMAND = re.compile(r"(?:^|[\s(])(?:\./)?forkast ((?:bench )?[a-z]+)\b")
# What is made by a build or a run, and so is in no checkout.
_MADE = ("web/dist", "web/node_modules", "cluster/site")


def _tracked() -> list[str]:
    listed = subprocess.run(
        ["git", "ls-files", "--cached"], cwd=_ROOT, capture_output=True, text=True, check=True
    )
    return [name for name in listed.stdout.splitlines() if (_ROOT / name).is_file()]


_FILES = _tracked()
_FOLDERS = {name.partition("/")[0] for name in _FILES if "/" in name}
_PAGES = [name for name in _FILES if name.endswith(".md")]


def _text(page: str) -> str:
    return (_ROOT / page).read_text()


def _anchors(text: str) -> set[str]:
    """Return the anchors of a page's headings, as hosting services make them."""
    found: set[str] = set()
    for heading in _HEADING.findall(_FENCE.sub("", text)):
        shown = _LINK.sub(lambda link: link.group(0).partition("](")[0], heading)
        slug = re.sub(r"[^\w\- ]", "", shown.lower()).replace(" ", "-")
        number = sum(re.fullmatch(rf"{re.escape(slug)}(-\d+)?", one) is not None for one in found)
        found.add(f"{slug}-{number}" if number else slug)
    return found


def _broken(page: str) -> Iterator[str]:
    for target in _LINK.findall(_SPAN.sub("", _FENCE.sub("", _text(page)))):
        if re.match(r"[a-z]+:", target):
            continue
        name, _, anchor = unquote(target).partition("#")
        there = (_ROOT / page).parent / name if name else _ROOT / page
        if not there.exists() or not there.resolve().is_relative_to(_ROOT):
            yield f"{target}: there is no such file"
        elif anchor and anchor not in _anchors(there.read_text()):
            yield f"{target}: there is no such heading"


def _code(page: str) -> Iterator[str]:
    """Yield what stands in a page as code: each line of a block, each span."""
    text = _text(page)
    for block in _FENCE.findall(text):
        yield from block.splitlines()[1:-1]
    for span in _SPAN.findall(_FENCE.sub("", text)):
        yield " ".join(span.split())


def _missing(page: str) -> Iterator[str]:
    for code in _code(page):
        for word in re.split(r"[\s'\"()<>|=]+", code):
            path = word.partition("::")[0].rstrip(".,:;").removeprefix("./")
            if path.partition("/")[0] not in _FOLDERS or "/" not in path.rstrip("/"):
                continue
            if path.startswith(_MADE) or re.search(r"NNNN|NAME", path):
                continue
            if not any(_ROOT.glob(path)):
                yield path


@pytest.fixture(scope="module")
def commands() -> set[str]:
    """The commands of the command line, those of `bench` with that word before them."""
    found: set[str] = set()
    for group in ((), ("bench",)):
        told = subprocess.run(
            [sys.executable, "-m", "cluster.cli", *group, "--help"],
            cwd=_ROOT,
            env=os.environ | {"COLUMNS": "200"},
            capture_output=True,
            text=True,
            timeout=120,
            check=True,
        )
        names = re.findall(r"^│ ([a-z]+) ", told.stdout, re.MULTILINE)
        found |= {" ".join((*group, name)) for name in names}
    return found


@pytest.mark.parametrize("page", _PAGES)
def test_every_link_of_a_page_leads_to_a_file_and_a_heading(page: str) -> None:
    assert not list(_broken(page))


@pytest.mark.parametrize("page", _PAGES)
def test_every_path_that_a_page_names_is_in_the_repository(page: str) -> None:
    assert not list(_missing(page))


@pytest.mark.parametrize("page", _PAGES)
def test_every_block_of_code_that_a_page_opens_is_closed(page: str) -> None:
    fences = re.findall(r"^ *```(.*)$", _text(page), re.MULTILINE)
    assert len(fences) % 2 == 0
    assert not any(fences[1::2])


def test_every_command_that_the_docs_name_is_one(commands: set[str]) -> None:
    named = {
        (command, page)
        for page in _PAGES
        for code in _code(page)
        for command in _COMMAND.findall(code)
    }
    assert {command for command, _ in named} >= {"up", "test", "verify", "bench book"}
    assert not {(command, page) for command, page in named if command not in commands}


def test_every_command_is_told_of(commands: set[str]) -> None:
    told = " ".join(code for page in _PAGES for code in _code(page))
    assert not {command for command in commands if not re.search(rf"\b{command}\b", told)}


def test_the_index_of_decisions_names_every_page_by_its_title_and_date() -> None:
    folder = _ROOT / "docs" / "decisions"
    index = (folder / "README.md").read_text()
    pages = sorted(folder.glob("[0-9]*.md"))
    assert pages
    rows = []
    for number, path in enumerate(pages, start=1):
        first, *rest = path.read_text().splitlines()
        title = first.removeprefix(f"# {number:04} ")
        (date,) = re.findall(r"^Status: .*\. Date: (\d{4}-\d\d-\d\d)\.$", "\n".join(rest), re.M)
        rows.append(f"| {number:04} | [{title}]({path.name}) | {date} |")
    assert [line for line in index.splitlines() if re.match(r"\| \d", line)] == rows


def test_a_link_to_a_missing_page_or_heading_is_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys.modules[__name__], "_ROOT", tmp_path)
    (tmp_path / "other.md").write_text("# What holds, and why\n## Again\n## Again\n")
    (tmp_path / "page.md").write_text(
        "[a](other.md#what-holds-and-why) [b](other.md#again-1) [c](https://example.org/#x)\n"
        "[d](missing.md) [e\nf](other.md#nowhere)\n"
    )
    assert list(_broken("page.md")) == [
        "missing.md: there is no such file",
        "other.md#nowhere: there is no such heading",
    ]
    (tmp_path / "page.md").write_text("`tests/there/` and `tests/missing.py::test_it`\n")
    (tmp_path / "tests" / "there").mkdir(parents=True)
    assert list(_missing("page.md")) == ["tests/missing.py"]
