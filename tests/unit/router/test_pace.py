"""When a pair waits for company."""

from actors.router.pace import RANGES_PER_SECOND, WINDOW_S_MAX, Pace


def test_nobody_waits_at_three_hundred_single_orders_a_second() -> None:
    pace = Pace()
    pace.measure(records_per_second=300, busy_pairs=10)
    assert pace.window_s == 0


def test_many_single_orders_are_gathered_to_about_the_same_number_of_ranges() -> None:
    pace = Pace()
    pace.measure(records_per_second=3_000, busy_pairs=10)
    assert 10 / pace.window_s <= RANGES_PER_SECOND * 1.01
    assert pace.window_s <= WINDOW_S_MAX


def test_the_window_closes_again_when_the_load_is_gone() -> None:
    pace = Pace()
    pace.measure(records_per_second=10_000, busy_pairs=500)
    assert pace.window_s == WINDOW_S_MAX
    pace.measure(records_per_second=0, busy_pairs=0)
    assert pace.window_s == 0
