"""`forkast bench fanout`, small: processes of its own, real sockets, every message counted."""

import msgspec

from cluster.tools.bench.fanout.measure import FanOut, measure_fanout
from cluster.tools.platforms import forkast


def test_every_socket_hears_what_its_room_was_told() -> None:
    found = measure_fanout(
        sockets=20, pairs=2, messages_per_second=400, seconds=1, seed=1, clients=2
    )
    assert found.messages_heard == found.messages_owed >= 400
    assert found.cut_clients == 0
    assert found.hub_cores > 0
    assert 0 <= found.lag_ms["p50"] <= found.lag_ms["p99"] <= found.lag_ms["max"]


def test_it_is_told_as_json() -> None:
    told = forkast(
        *("bench", "fanout", "--sockets", 5, "--messages", 50, "--seconds", 1, "--pairs", 1),
        "--json",
        timeout_s=240,
    )
    assert told.returncode == 0, told.stderr
    (one,) = msgspec.json.decode(told.stdout, type=list[FanOut])
    assert (one.sockets, one.pairs) == (5, 1)


def test_more_pairs_than_there_are_is_refused() -> None:
    told = forkast("bench", "fanout", "--pairs", 1_000, timeout_s=240)
    assert told.returncode != 0
    assert "default markets, not 1000" in told.stderr
