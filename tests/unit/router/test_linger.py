"""When a pair waits for company."""

from actors.router.linger import RANGES_PER_SECOND, WAIT_S_MAX, Linger


def test_nobody_waits_at_three_hundred_single_orders_a_second() -> None:
    linger = Linger()
    linger.measure(records_per_second=300, busy_pairs=10)
    assert linger.wait_s == 0


def test_many_single_orders_are_gathered_to_about_the_same_number_of_ranges() -> None:
    linger = Linger()
    linger.measure(records_per_second=3_000, busy_pairs=10)
    assert 10 / linger.wait_s <= RANGES_PER_SECOND * 1.01
    assert linger.wait_s <= WAIT_S_MAX


def test_nobody_waits_any_more_when_the_load_is_gone() -> None:
    linger = Linger()
    linger.measure(records_per_second=10_000, busy_pairs=500)
    assert linger.wait_s == WAIT_S_MAX
    linger.measure(records_per_second=0, busy_pairs=0)
    assert linger.wait_s == 0
