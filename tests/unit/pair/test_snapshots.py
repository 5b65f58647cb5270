"""Snapshots bound the replay and never decide what a book is."""

import hashlib
from pathlib import Path

import msgspec
import pytest

from actors.book.codec import encode_commands
from actors.fold.ports import StoredSnapshot
from actors.fold.snapshots import (
    DECODERS,
    Envelope,
    FileSnapshotStore,
    decode_snapshot,
    encode_snapshot,
)
from actors.pair.actor import PairActor
from actors.pair.messages import Position, RangeApplied
from actors.platform.config import PairLimits
from actors.platform.errors import SnapshotRefusedError
from tests.beds.commands import flow, market

MARKET = market(4)
VALUES = [encode_commands(MARKET.market_id, flow(200)[i : i + 1]) for i in range(200)]


def make_pair(directory: Path, *, every: int = 50) -> PairActor:
    store = FileSnapshotStore(directory, pair=MARKET.pair, kept=2)
    return PairActor(MARKET, store, PairLimits(snapshot_every_commands=every))


def feed(pair: PairActor, first_offset: int, next_offset: int, *, acknowledge: bool = True) -> None:
    for start in range(first_offset, next_offset, 10):
        outcome = pair.apply(start, start + 10, VALUES[start : start + 10])
        assert isinstance(outcome, RangeApplied)
        assert not outcome.repeated
        if acknowledge:
            pair.acknowledge(start + 10)


def files(directory: Path) -> list[Path]:
    return sorted((directory / MARKET.pair).glob("*"))


def test_a_restarted_pair_continues_from_its_snapshot_to_the_same_hash(tmp_path: Path) -> None:
    first = make_pair(tmp_path)
    feed(first, 0, 200)
    second = make_pair(tmp_path)
    assert second.position().next_offset == 200
    assert second.state_hash() == first.state_hash()
    assert second.stats()["commands"] == 200


def test_a_snapshot_is_never_newer_than_what_was_acknowledged(tmp_path: Path) -> None:
    pair = make_pair(tmp_path)
    feed(pair, 0, 80, acknowledge=False)
    assert files(tmp_path) == []
    pair.acknowledge(49)
    assert files(tmp_path) == []
    pair.acknowledge(50)
    assert [path.name for path in files(tmp_path)] == [f"{50:020d}.snapshot"]
    assert make_pair(tmp_path).position().next_offset == 50


def test_a_rewound_pair_gives_the_same_events_again(tmp_path: Path) -> None:
    pair = make_pair(tmp_path)
    feed(pair, 0, 60)
    lost = pair.apply(60, 90, VALUES[60:90])
    position = pair.rewind()
    assert position.next_offset == 50
    feed(pair, 50, 60)
    assert pair.apply(60, 90, VALUES[60:90]) == lost


def test_only_the_newest_snapshots_are_kept(tmp_path: Path) -> None:
    feed(make_pair(tmp_path), 0, 200)
    assert [path.name for path in files(tmp_path)] == [
        f"{150:020d}.snapshot",
        f"{200:020d}.snapshot",
    ]


@pytest.mark.parametrize("damage", ["torn", "flipped", "empty", "foreign", "not ours"])
def test_a_snapshot_that_is_not_sound_is_passed_over_for_the_one_before(
    tmp_path: Path, damage: str
) -> None:
    feed(make_pair(tmp_path), 0, 200)
    newest = files(tmp_path)[-1]
    data = newest.read_bytes()
    if damage == "torn":
        newest.write_bytes(data[: len(data) // 2])
    elif damage == "flipped":
        newest.write_bytes(data[:-9] + bytes([data[-9] ^ 1]) + data[-8:])
    elif damage == "empty":
        newest.write_bytes(b"")
    elif damage == "foreign":
        other = FileSnapshotStore(tmp_path, pair="OTHER-USD", kept=2)
        other.save(
            StoredSnapshot(next_offset=200, commands=200, last_price_ticks=1, state=b"state")
        )
        (tmp_path / "OTHER-USD" / newest.name).replace(newest)
    else:
        store = FileSnapshotStore(tmp_path, pair=MARKET.pair, kept=2)
        store.save(StoredSnapshot(next_offset=200, commands=200, last_price_ticks=1, state=b"x"))
    assert make_pair(tmp_path).position().next_offset == 150


def test_a_pair_whose_snapshots_are_all_bad_starts_from_the_log(tmp_path: Path) -> None:
    feed(make_pair(tmp_path), 0, 200)
    for path in files(tmp_path):
        path.write_bytes(b"FRKS")
    assert make_pair(tmp_path).position() == Position(0, 0)


def test_a_pair_that_cannot_save_goes_on(tmp_path: Path) -> None:
    (tmp_path / MARKET.pair).write_text("a file where the folder should be")
    pair = make_pair(tmp_path)
    feed(pair, 0, 100)
    assert pair.position().next_offset == 100


def test_what_a_crash_left_half_written_is_removed_by_the_next_save(tmp_path: Path) -> None:
    pair = make_pair(tmp_path)
    feed(pair, 0, 50)
    left = tmp_path / MARKET.pair / "00000000000000000050.1.tmp"
    left.write_bytes(b"half")
    feed(pair, 50, 100)
    assert left not in files(tmp_path)
    assert len(files(tmp_path)) == 2


def test_a_later_epochs_first_snapshot_is_never_dropped_and_never_done_without(
    tmp_path: Path,
) -> None:
    first = make_pair(tmp_path)
    feed(first, 0, 40)
    store = FileSnapshotStore(tmp_path, pair=MARKET.pair, kept=2, epoch=2)
    with pytest.raises(SnapshotRefusedError, match=f"the log of {MARKET.pair} begins is not there"):
        PairActor(MARKET, store, PairLimits())
    store.save(first.export())
    second = PairActor(MARKET, store, PairLimits(snapshot_every_commands=20))
    feed(second, 40, 200)
    assert store.offsets() == [200, 180, 40]
    assert files(tmp_path) == []
    for path in (tmp_path.with_name(f"{tmp_path.name}-2") / MARKET.pair).iterdir():
        path.write_bytes(b"torn")
    with pytest.raises(SnapshotRefusedError):
        second.rewind()


def test_an_image_of_an_older_version_is_lifted_to_the_newest() -> None:
    def of_older_version(body: memoryview) -> Envelope:
        """Read a made-up version that counts no commands and knows no last price."""
        pair, next_offset, state = msgspec.msgpack.decode(body, type=tuple[str, int, bytes])
        return Envelope(
            pair=pair, next_offset=next_offset, commands=0, last_price_ticks=0, state=state
        )

    body = msgspec.msgpack.encode((MARKET.pair, 40, b"state"))
    image = b"FRKS0000" + hashlib.sha256(body).digest() + body
    decoders = {**DECODERS, b"FRKS0000": of_older_version}
    assert decode_snapshot(MARKET.pair, image, decoders=decoders) == StoredSnapshot(
        next_offset=40, commands=0, last_price_ticks=0, state=b"state"
    )


def test_an_image_of_a_newer_version_is_refused_in_one_line() -> None:
    snapshot = StoredSnapshot(next_offset=40, commands=40, last_price_ticks=1, state=b"state")
    image = b"".join(encode_snapshot(MARKET.pair, snapshot))
    assert decode_snapshot(MARKET.pair, image) == snapshot
    newer = image.replace(b"FRKS0001", b"FRKS0002", 1)
    with pytest.raises(
        SnapshotRefusedError, match=r"^it begins with b'FRKS0002', this build reads FRKS0001$"
    ):
        decode_snapshot(MARKET.pair, newer)
