"""The page's build: made when its sources have changed, told in one line when it cannot be."""

import json
from pathlib import Path

import pytest

from cluster.cli.openapi import openapi_text
from cluster.platform import page


def test_the_checked_in_document_is_the_contract() -> None:
    kept = (page.SOURCES / "openapi.json").read_text()
    assert json.loads(kept) == json.loads(openapi_text()), (
        "write it anew: forkast openapi > web/openapi.json"
    )


def test_the_digest_follows_names_and_contents_of_sources_alone(tmp_path: Path) -> None:
    (tmp_path / "src").mkdir()
    (tmp_path / "src" / "a.ts").write_text("1")
    first = page.sources_digest(tmp_path)
    for folder in ("node_modules", "dist"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "made.js").write_text("2")
    assert page.sources_digest(tmp_path) == first
    (tmp_path / "src" / "a.ts").rename(tmp_path / "src" / "b.ts")
    renamed = page.sources_digest(tmp_path)
    (tmp_path / "src" / "b.ts").write_text("3")
    assert len({first, renamed, page.sources_digest(tmp_path)}) == 3


def test_a_page_that_is_current_is_not_built_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(page, "SOURCES", tmp_path)
    (tmp_path / "dist").mkdir()
    (tmp_path / "package.json").write_text("{}")
    (tmp_path / "dist" / "index.html").write_text("<!doctype html>")
    (tmp_path / "dist" / ".sources").write_text(page.sources_digest(tmp_path))
    steps: list[str] = []
    assert page.ready_page(steps.append) == tmp_path / "dist"
    assert steps == []


def test_a_page_that_cannot_be_built_is_told_in_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(page, "SOURCES", tmp_path)
    (tmp_path / "package.json").write_text("not JSON")
    (tmp_path / "package-lock.json").write_text("{}")
    with pytest.raises(page.PageError, match=r"^npm install .* failed: ") as told:
        page.ready_page(lambda step: None)
    assert "\n" not in str(told.value)


def test_an_installation_without_sources_serves_the_page_that_came_with_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(page, "SOURCES", tmp_path / "no-sources")
    monkeypatch.setattr(page, "PACKAGED", tmp_path)
    with pytest.raises(page.PageError, match="no built page"):
        page.ready_page(lambda step: None)
    (tmp_path / "index.html").write_text("<!doctype html>")
    assert page.ready_page(lambda step: None) == tmp_path
