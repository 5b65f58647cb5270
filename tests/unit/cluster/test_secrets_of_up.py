"""What `forkast up` leaves of its secrets in the environment that its processes inherit."""

import importlib
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from cluster.errors import ClusterError
from cluster.settings import SECRETS

_up: Any = importlib.import_module("cluster.cli.up")
_SHOW = "import json, os; print(json.dumps(dict(os.environ)))"


@pytest.fixture
def inherited(monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """What a process inherits, once `up` starts the platform or the `up` in the background."""
    found: dict[str, str] = {}

    def look() -> None:
        shown = subprocess.run([sys.executable, "-c", _SHOW], capture_output=True, check=True)
        found.update(json.loads(shown.stdout))
        raise ClusterError("enough was seen")

    async def live(**_: object) -> int:
        look()
        return 0

    monkeypatch.setattr(_up, "_live", live)
    monkeypatch.setattr(_up, "_detach", lambda _: look())
    monkeypatch.setattr(_up, "configure_logs", lambda _: None)
    for name in SECRETS:
        monkeypatch.setenv(name, "a-secret")
    monkeypatch.setenv("forkast_operator_token", "a-secret")
    monkeypatch.setenv("FORKAST_MIN_NODES", "3")
    return found


def _run(data: Path, *, detach: bool) -> None:
    with pytest.raises(ClusterError, match="enough"):
        _up.up(
            port=None,
            markets="",
            data=data,
            brokers=None,
            detach=detach,
            demo=False,
            new_epoch="",
            web=False,
        )


def test_no_process_of_a_platform_inherits_a_secret(
    inherited: dict[str, str], tmp_path: Path
) -> None:
    _run(tmp_path, detach=False)
    assert "a-secret" not in inherited.values()
    assert inherited["FORKAST_MIN_NODES"] == "3"


def test_an_up_in_the_background_is_handed_all_of_them(
    inherited: dict[str, str], tmp_path: Path
) -> None:
    _run(tmp_path, detach=True)
    assert {name for name, value in inherited.items() if value == "a-secret"} >= SECRETS
