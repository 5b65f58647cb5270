"""The bench of an actor's return, at a small size."""

from cluster.tools.bench.recovery import measure_recovery


def test_an_actor_comes_back_from_its_snapshot_and_its_log_as_the_one_before() -> None:
    recovered = measure_recovery(open_orders=500, commands=2_000, seed=3)
    assert (recovered.open_orders, recovered.commands_since_snapshot) == (500, 2_000)
    assert recovered.seconds >= recovered.replay_seconds > 0
