"""Ray's head on one machine, without those of its processes that nobody here asks anything.

`ray.init` starts three more: a server for the dashboard that is not included, on which it waits for
seconds, the autoscaler's monitor of a cluster that cannot grow, and the reader of logs that are not
sent to the driver. Together they cost 170 MB and 2 % of a core. Ray has no setting for them, so its
node is another one while it starts; all else that `ray.init` does, its token among it, is its own.
"""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import ray
from ray._private import node
from ray._private.node import Node
from ray._private.parameter import RayParams


def start_head(*, namespace: str, cpus: int, object_store_bytes: int, directory: Path) -> None:
    """Start Ray on loopback and connect to it; its processes end with the thread that calls this.

    Raises whatever Ray's parts raise.
    """
    with _lean_node():
        ray.init(
            address="local",
            num_cpus=cpus,
            namespace=namespace,
            include_dashboard=False,
            object_store_memory=object_store_bytes,
            log_to_driver=False,
            logging_level=logging.ERROR,
            _temp_dir=str(directory),
            _node_ip_address="127.0.0.1",
        )


class _LeanNode(Node):
    def __init__(self, ray_params: RayParams, **options: Any) -> None:
        ray_params.no_monitor = True
        # Ray's own annotation says text where it reads yes or no.
        ray_params.include_log_monitor = False  # type: ignore[assignment]
        super().__init__(ray_params, **options)

    def start_api_server(self, *, include_dashboard: bool | None, raise_on_failure: bool) -> None:
        """Start nothing: no module of that server would be wanted."""


@contextmanager
def _lean_node() -> Iterator[None]:
    node.Node = _LeanNode  # type: ignore[misc, assignment]
    try:
        yield
    finally:
        node.Node = Node  # type: ignore[misc]
