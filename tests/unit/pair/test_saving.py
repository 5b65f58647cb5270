"""A pair trades on while its snapshot is sealed and written."""

import threading
from pathlib import Path

from actors.book.codec import encode_commands
from actors.fold.ports import StoredSnapshot
from actors.fold.saving import SaveBeside
from actors.fold.snapshots import FileSnapshotStore
from actors.pair.actor import PairActor
from actors.platform.config import PairLimits
from tests.beds.commands import flow, market

MARKET = market(4)
VALUES = [encode_commands(MARKET.market_id, flow(400)[i : i + 1]) for i in range(400)]


class SlowDisk(FileSnapshotStore):
    """A store that writes only when it is told to."""

    def __init__(self, directory: Path) -> None:
        super().__init__(directory, pair=MARKET.pair, kept=2)
        self.asked = threading.Event()
        self.go_on = threading.Event()

    def save(self, snapshot: StoredSnapshot) -> None:
        self.asked.set()
        assert self.go_on.wait(20)
        super().save(snapshot)


def _feed(pair: PairActor, first_offset: int, next_offset: int) -> None:
    for start in range(first_offset, next_offset, 10):
        pair.apply(start, start + 10, VALUES[start : start + 10])
        pair.acknowledge(start + 10)


def _until_idle(saver: SaveBeside) -> None:
    for thread in threading.enumerate():
        if thread.name == "snapshot":
            thread.join(20)
    assert not saver.busy


def test_what_is_saved_is_the_book_as_it_was_however_much_was_traded_since(tmp_path: Path) -> None:
    store, saver = SlowDisk(tmp_path), SaveBeside()
    pair = PairActor(MARKET, store, PairLimits(snapshot_every_commands=50), saver)
    _feed(pair, 0, 50)
    then = pair.state_hash()
    assert store.asked.wait(20)
    _feed(pair, 50, 300)
    assert pair.position().next_offset == 300
    assert pair.state_hash() != then
    store.go_on.set()
    _until_idle(saver)
    assert store.offsets() == [50]
    again = PairActor(MARKET, store, PairLimits())
    assert (again.position().next_offset, again.state_hash()) == (50, then)
    # The next one uses the same memory again.
    _feed(pair, 300, 310)
    _until_idle(saver)
    assert store.offsets() == [310, 50]
    assert PairActor(MARKET, store, PairLimits()).state_hash() == pair.state_hash()


def test_a_pair_that_is_sent_back_while_it_saves_goes_on_from_there(tmp_path: Path) -> None:
    store, saver = SlowDisk(tmp_path), SaveBeside()
    pair = PairActor(MARKET, store, PairLimits(snapshot_every_commands=50), saver)
    _feed(pair, 0, 50)
    assert store.asked.wait(20)
    assert pair.rewind().next_offset == 0
    _feed(pair, 0, 100)
    expected = pair.state_hash()
    store.go_on.set()
    _until_idle(saver)
    assert pair.rewind().next_offset == 50
    _feed(pair, 50, 100)
    assert pair.state_hash() == expected
