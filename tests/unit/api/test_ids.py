"""Ids: growing, unique across gateways, telling when and by whom they were made."""

from collections.abc import Callable

import pytest

from actors.book.market import INT64_MAX
from api.exchange.ids import EPOCH_MS, IdGenerator, id_time_ms, parse_order_id
from api.exchange.refusals import Refusal
from api.json.errors import status_of


def _clock(*times_ms: int) -> Callable[[], int]:
    remaining = list(times_ms)
    return lambda: remaining.pop(0) if len(remaining) > 1 else remaining[0]


def test_an_id_tells_its_time_and_is_another_than_any_other_workers() -> None:
    now_ms = EPOCH_MS + 123_456
    made = [IdGenerator(worker, now_ms=_clock(now_ms)).next() for worker in (0, 1, 1023)]
    assert {id_time_ms(identity) for identity in made} == {now_ms}
    assert len(set(made)) == 3


def test_ids_grow_while_the_clock_stands_still_or_goes_back() -> None:
    ids = IdGenerator(7, now_ms=_clock(EPOCH_MS + 10, EPOCH_MS + 10, EPOCH_MS + 3, EPOCH_MS + 11))
    made = [ids.next() for _ in range(6)]
    assert made == sorted(set(made))


def test_the_id_after_the_last_of_a_millisecond_borrows_from_the_next() -> None:
    ids = IdGenerator(0, now_ms=_clock(EPOCH_MS + 10))
    made = [ids.next() for _ in range(10_000)]
    assert len(set(made)) == 10_000
    assert made == sorted(made)
    assert [id_time_ms(made[index]) - EPOCH_MS for index in (4_095, 4_096, 8_192)] == [10, 11, 12]


@pytest.mark.parametrize("counts", [(1, 0, 2), (4_096, 1), (4_095, 2, 9_000)])
def test_many_ids_at_once_are_those_that_one_by_one_would_be(counts: tuple[int, ...]) -> None:
    at_once, one_by_one = (IdGenerator(5, now_ms=_clock(EPOCH_MS + 10)) for _ in range(2))
    taken = [identity for count in counts for identity in at_once.take(count)]
    assert taken == [one_by_one.next() for _ in range(sum(counts))]
    assert at_once.next() == one_by_one.next()


def test_two_workers_never_make_the_same_id() -> None:
    clock = _clock(EPOCH_MS + 10)
    one, other = IdGenerator(1, now_ms=clock), IdGenerator(2, now_ms=clock)
    assert not {one.next() for _ in range(9_000)} & {other.next() for _ in range(9_000)}


def test_ids_fit_63_bits_for_decades() -> None:
    in_69_years = EPOCH_MS + 69 * 365 * 86_400_000
    assert 0 < IdGenerator(1023, now_ms=_clock(in_69_years)).next() <= INT64_MAX


@pytest.mark.parametrize("worker", [-1, 1024])
def test_a_worker_number_that_does_not_fit_is_refused(worker: int) -> None:
    with pytest.raises(ValueError, match="worker number"):
        IdGenerator(worker)


@pytest.mark.parametrize("text", ["", "0", "-1", "1.5", "abc", "0x10", "١٢", "1" * 20, "1\n", " 1"])
def test_what_is_no_id_is_refused(text: str) -> None:
    with pytest.raises(Refusal) as refused:
        parse_order_id(text)
    assert status_of(refused.value) == 400


def test_an_id_beyond_63_bits_does_not_exist() -> None:
    assert parse_order_id(str(INT64_MAX)) == INT64_MAX
    with pytest.raises(Refusal) as refused:
        parse_order_id(str(INT64_MAX + 1))
    assert status_of(refused.value) == 404
