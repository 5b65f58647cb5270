import numpy as np
from structlog.testing import capture_logs

from actors.book.codec import encode_events
from actors.book.records import EVENT_DTYPE
from actors.follow.positions import MarketPosition
from actors.writer.intake import Intake

MARKET = 3


def _record(first: int, last: int, *, next_offset: int = 0, covers: int = 0) -> bytes:
    events = np.zeros(last - first + 1, EVENT_DTYPE)
    events["sequence"] = np.arange(first, last + 1)
    events["market_id"] = MARKET
    return encode_events(
        market_id=MARKET,
        first_sequence=first,
        last_sequence=max(last, covers),
        first_offset=0,
        next_offset=next_offset,
        events=events,
    )


def _intake(*records: bytes, last_sequence: int = 0) -> Intake:
    intake = Intake((MarketPosition(market_id=MARKET, last_sequence=last_sequence),))
    for offset, record in enumerate(records):
        intake.add(market_id=MARKET, offset=offset, value=record)
    return intake


def _sequences(intake: Intake) -> list[int]:
    batch = intake.take()
    assert batch is not None
    sequences: list[int] = batch.events["sequence"].tolist()
    return sequences


def test_a_batch_leads_from_the_position_before_to_the_one_after() -> None:
    batch = _intake(_record(1, 3, next_offset=2), _record(4, 4, next_offset=3)).take()
    assert batch is not None
    assert batch.events["sequence"].tolist() == [1, 2, 3, 4]
    assert batch.before == (MarketPosition(market_id=MARKET),)
    assert batch.after == (
        MarketPosition(market_id=MARKET, next_offset=2, last_sequence=4, commands_offset=3),
    )


def test_nothing_new_is_no_batch() -> None:
    intake = _intake(_record(1, 3))
    assert intake.take() is not None
    assert intake.take() is None


def test_events_seen_before_are_dropped_also_in_another_batching() -> None:
    intake = _intake(_record(1, 3), _record(1, 2), _record(2, 5), _record(1, 3))
    assert _sequences(intake) == [1, 2, 3, 4, 5]


def test_a_repeated_record_never_takes_the_commands_back() -> None:
    batch = _intake(_record(1, 3, next_offset=9), _record(1, 2, next_offset=5)).take()
    assert batch is not None
    assert batch.after[0].commands_offset == 9


def test_commands_count_only_when_all_their_events_are_there() -> None:
    intake = _intake(_record(1, 3, next_offset=9, covers=5))
    first = intake.take()
    intake.add(market_id=MARKET, offset=1, value=_record(4, 5, next_offset=9))
    second = intake.take()
    assert first is not None
    assert second is not None
    assert first.after[0].commands_offset == 0
    assert second.after[0].commands_offset == 9


def test_a_record_without_events_moves_the_commands() -> None:
    batch = _intake(_record(1, 3, next_offset=4), _record(4, 3, next_offset=5)).take()
    assert batch is not None
    assert batch.after[0].commands_offset == 5


def test_a_gap_stalls_the_market_before_it() -> None:
    intake = _intake(_record(1, 3), _record(5, 6), _record(7, 8))
    assert intake.faults == {MARKET: "record 2: sequence 4 is missing, the log goes on with 7"}
    batch = intake.take()
    assert batch is not None
    assert batch.events["sequence"].tolist() == [1, 2, 3]
    assert batch.after[0].next_offset == 1


def test_a_stalled_market_goes_on_once_the_missing_sequences_come() -> None:
    intake = _intake(_record(1, 3), _record(5, 6), _record(1, 2))
    assert intake.faults
    intake.add(market_id=MARKET, offset=3, value=_record(3, 6))
    assert not intake.faults
    assert _sequences(intake) == [1, 2, 3, 4, 5, 6]


def test_a_market_is_told_once_that_it_is_stalled_and_once_that_it_goes_on() -> None:
    with capture_logs() as told:
        _intake(_record(1, 3), _record(5, 6), _record(7, 8), _record(4, 8), _record(9, 9))
    assert [(one["event"], one["market_id"], one["offset"]) for one in told] == [
        ("market_stalled_in_writer", MARKET, 1),
        ("market_continues_in_writer", MARKET, 3),
    ]


def test_a_missing_record_without_events_is_a_gap_too() -> None:
    assert _intake(_record(1, 3), _record(6, 5, next_offset=7)).faults


def test_a_record_of_another_market_or_of_no_kind_is_a_fault() -> None:
    assert "magic" in _intake(b"x" * 80).faults[MARKET]
    foreign = Intake((MarketPosition(market_id=4),))
    foreign.add(market_id=4, offset=0, value=_record(1, 2))
    assert "market 3 in the log of 4" in foreign.faults[4]
    assert foreign.take() is None


def test_events_that_are_not_consecutive_are_a_fault() -> None:
    events = np.zeros(2, EVENT_DTYPE)
    events["sequence"] = (1, 3)
    events["market_id"] = MARKET
    record = encode_events(
        market_id=MARKET,
        first_sequence=1,
        last_sequence=3,
        first_offset=0,
        next_offset=1,
        events=events,
    )
    intake = _intake(record)
    assert "consecutive" in intake.faults[MARKET]
    assert intake.take() is None


def test_a_market_continues_from_its_stored_sequence() -> None:
    assert _sequences(_intake(_record(5, 8), last_sequence=6)) == [7, 8]
