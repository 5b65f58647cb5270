"""A log and a snapshot that a build of version 1 wrote: the same book as it made of them.

The expected digests are those of that build: events laid out as they were then, and the state hash
after each record of a hundred commands. The snapshot was taken after the thirteenth.
"""

import hashlib
import struct
import zlib
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from actors.book.codec import COMMAND_HEADER_DTYPE, decode_commands
from actors.book.compiled import CompiledBook
from actors.book.naive import NaiveBook
from actors.book.records import RecordArray
from actors.book.versions import COMMAND_1_DTYPE, EVENT_1_DTYPE
from tests.property.streams import ARENAS

GOLDEN = Path(__file__).parent / "golden"
MARKET = ARENAS["crowded"].market
EVENTS_DIGEST = "9ffc1253425aff61d8ce2f13e97494ee2bf274f1749f39b441849913bcc38630"
STATE_HASHES = [
    *(0x61525A06613BA3B5, 0x8E7716D723F4F61C, 0x23F3F478575CCD5A, 0x602D510AEA29A013),
    *(0xE560EC48E27BF858, 0x79DC9C3B3D4FAF1C, 0x674343F69FC81FE1, 0xFC26DCD0EB1BEE62),
    *(0x0B74480A95B2A4BD, 0x2DCC9D9F3A3A8440, 0x75D08C64A771EE7F, 0xA80C63C8E6AF2E08),
    *(0xFF248AA60E8DC2C9, 0x1E3C2938C2F7CBF9, 0xC9A76DBC01C59442, 0xDB8E3483324B83FF),
]
SNAPSHOT_AFTER = 13


def golden(name: str) -> bytes:
    return zlib.decompress((GOLDEN / name).read_bytes())


def log() -> Iterator[RecordArray]:
    """Yield the commands of each record of the stored log."""
    left = golden("log_of_version_1.z")
    while left:
        (count,) = struct.unpack_from("<I", left, 8)
        size = COMMAND_HEADER_DTYPE.itemsize + count * COMMAND_1_DTYPE.itemsize
        yield decode_commands(MARKET.market_id, left[:size])
        left = left[size:]


def in_version_1(events: RecordArray) -> bytes:
    """Return events as that version laid them out, of which they hold nothing more."""
    narrow = np.zeros(len(events), EVENT_1_DTYPE)
    for name in EVENT_1_DTYPE.names or ():
        narrow[name] = events[name]
    later = set(events.dtype.names or ()) - set(EVENT_1_DTYPE.names or ())
    assert not any(events[name].any() for name in later)
    return narrow.tobytes()


@pytest.mark.parametrize("implementation", [CompiledBook, NaiveBook])
def test_an_old_log_gives_the_events_and_the_hashes_that_it_always_gave(
    implementation: type[CompiledBook] | type[NaiveBook],
) -> None:
    book, digest, hashes = implementation(MARKET), hashlib.sha256(), []
    for commands in log():
        digest.update(in_version_1(book.apply(commands).events))
        hashes.append(book.state_hash())
    assert hashes == STATE_HASHES
    assert digest.hexdigest() == EVENTS_DIGEST


def test_an_old_snapshot_gives_the_book_that_was_in_it_and_its_future() -> None:
    book = CompiledBook.restore(MARKET, golden("snapshot_of_version_1.z"))
    assert book.state_hash() == STATE_HASHES[SNAPSHOT_AFTER - 1]
    assert book.open_orders == 33
    hashes = []
    for commands in list(log())[SNAPSHOT_AFTER:]:
        book.apply(commands)
        hashes.append(book.state_hash())
    assert hashes == STATE_HASHES[SNAPSHOT_AFTER:]


def test_an_old_snapshot_is_written_again_as_the_newest_version() -> None:
    book = CompiledBook.restore(MARKET, golden("snapshot_of_version_1.z"))
    again = CompiledBook.restore(MARKET, book.snapshot())
    assert again.snapshot() == book.snapshot()
    assert again.state_hash() == book.state_hash()
