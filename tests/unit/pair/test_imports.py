"""What a pair's process loads: every package more is memory times the number of pairs."""

import subprocess
import sys

HEAVY = ("aiokafka", "asyncpg", "fastapi", "polars", "pydantic", "ray", "redis", "socketio")


def test_a_pair_imports_no_server_client_and_no_framework() -> None:
    script = "import sys, actors.pair.actor, actors.fold.snapshots; print(*sorted(sys.modules))"
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, timeout=120, check=True
    )
    loaded = {name.split(".")[0] for name in done.stdout.split()}
    assert {"numpy", "msgspec"} <= loaded
    assert not loaded & set(HEAVY)
