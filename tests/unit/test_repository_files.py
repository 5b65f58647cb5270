"""Files that other programs read: the hosting service, pre-commit, git, type checkers."""

import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

_ROOT = Path(__file__).resolve().parents[2]
_FORMS = sorted((_ROOT / ".github" / "ISSUE_TEMPLATE").glob("[!c]*.yml"))
_PARTS = {"markdown", "textarea", "input", "dropdown", "checkboxes"}


def _read(name: str | Path) -> Any:
    return yaml.safe_load((_ROOT / name).read_text())


def test_the_workflow_runs_what_a_developer_runs() -> None:
    workflow = _read(".github/workflows/ci.yml")
    (job,) = workflow["jobs"].values()
    assert [step["run"] for step in job["steps"] if "run" in step] == [".ci/run"]
    assert workflow["permissions"] == {"contents": "read"}


@pytest.mark.parametrize("path", _FORMS, ids=lambda path: path.name)
def test_an_issue_form_is_one(path: Path) -> None:
    form = _read(path)
    assert form["name"]
    assert form["description"]
    asked = [part for part in form["body"] if part["type"] != "markdown"]
    assert {part["type"] for part in form["body"]} <= _PARTS
    assert all(part["attributes"]["label"] for part in asked)
    names = [part["id"] for part in asked]
    assert names
    assert len(names) == len(set(names))
    for part in asked:
        if part["type"] in ("dropdown", "checkboxes"):
            assert part["attributes"]["options"]


def test_there_is_a_form_for_a_fault_and_one_for_a_wish() -> None:
    assert [path.name for path in _FORMS] == ["bug.yml", "feature.yml"]
    assert _read(".github/ISSUE_TEMPLATE/config.yml") == {"blank_issues_enabled": False}


def test_the_hooks_are_the_projects_own_tools() -> None:
    (repository,) = _read(".pre-commit-config.yaml")["repos"]
    assert repository["repo"] == "local"
    for hook in repository["hooks"]:
        assert {"id", "name", "entry", "language"} <= hook.keys()
        program, *_ = hook["entry"].split()
        assert program.startswith(".venv/bin/")
        assert (Path(sys.executable).parent / Path(program).name).is_file()


def test_every_package_says_that_it_is_typed() -> None:
    project = tomllib.loads((_ROOT / "pyproject.toml").read_text())
    packages = project["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]
    assert packages
    assert all((_ROOT / package / "py.typed").is_file() for package in packages)


def test_what_git_is_told_of_is_there() -> None:
    for line in (_ROOT / ".gitattributes").read_text().splitlines():
        pattern, *_ = line.split() or ("*",)
        assert any(_ROOT.rglob(pattern)), pattern
