"""Which pairs move where: as few as it takes, and none without need."""

from collections import Counter

from cluster.platform.rebalance import plan


def test_a_new_node_gets_its_share_by_the_fewest_moves() -> None:
    places = {f"P{i}": "a" if i < 5 else "b" for i in range(10)}
    moves = dict(plan(places, ["a", "b", "c"]))
    assert set(moves.values()) == {"c"}
    assert len(moves) == 3
    assert sorted(Counter((places | moves).values()).values()) == [3, 3, 4]


def test_pairs_of_a_node_that_takes_no_work_leave_it() -> None:
    places = {"P1": "head", "P2": "a", "P3": "b"}
    moves = dict(plan(places, ["a", "b"]))
    assert set(moves) == {"P1"}


def test_an_even_spread_stays_as_it_is() -> None:
    assert plan({"P1": "a", "P2": "b", "P3": "a"}, ["a", "b"]) == []


def test_without_a_node_that_takes_work_nothing_moves() -> None:
    assert plan({}, []) == []
