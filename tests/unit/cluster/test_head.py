"""What Ray's own start is told of the node that it is to start."""

from pathlib import Path
from typing import Any

import pytest
from ray._private import node
from ray._private.node import Node

from cluster.platform.head import start_head


class _StartedError(Exception):
    """Ends Ray's start where it would start processes."""


def test_ray_starts_a_node_without_what_nobody_asks_and_is_itself_again(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    told: dict[str, Any] = {}

    def note(self: Node, ray_params: Any, **options: Any) -> None:
        told.update(vars(ray_params), **options, node=self)
        raise _StartedError

    monkeypatch.setattr(Node, "__init__", note)
    # What Ray's start would otherwise put into this process's environment for good.
    monkeypatch.setenv("RAY_AUTH_MODE", "disabled")
    monkeypatch.setenv("RAY_USAGE_STATS_ENABLED", "0")
    with pytest.raises(_StartedError):
        start_head(namespace="n", cpus=2, object_store_bytes=100 << 20, directory=tmp_path)
    assert told["head"]
    assert told["no_monitor"]
    assert told["include_log_monitor"] is False
    assert told["include_dashboard"] is False
    started = told["node"]
    assert started.start_api_server(include_dashboard=False, raise_on_failure=False) is None
    assert node.Node is Node
