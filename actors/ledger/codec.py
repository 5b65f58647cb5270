"""Journal records as bytes: a small versioned header and an array of fixed-width items.

A record holds items of one shard, written in the newest version and read in every version of its
table, as the book's are (`actors/book/codec.py`).
"""

from struct import Struct

from actors.book.codec import ItemLayout, Layouts, MalformedRecordError, taken_apart
from actors.book.records import RecordArray
from actors.ledger.records import JOURNAL_DTYPE

JOURNAL_MAGIC = 0x4A4B_5246  # b"FRKJ"
VERSION = 1

# Magic, version, bytes of an item, how many, shard.
_HEADER = Struct("<IHHII")
JOURNAL_LAYOUTS: Layouts = {1: ItemLayout(JOURNAL_DTYPE)}


def encode_journal(shard: int, items: RecordArray) -> bytes:
    """Return the record of these items (`JOURNAL_DTYPE`, any length from 1)."""
    header = _HEADER.pack(JOURNAL_MAGIC, VERSION, JOURNAL_DTYPE.itemsize, len(items), shard)
    return header + items.tobytes()


def decode_journal(shard: int, value: bytes, *, layouts: Layouts = JOURNAL_LAYOUTS) -> RecordArray:
    """Return a record's items (`JOURNAL_DTYPE`), a read-only view where none is lifted.

    Raises MalformedRecordError, also for another shard's and for a version that `layouts` lacks.
    """
    (found,), items = taken_apart(value, header=_HEADER, magic=JOURNAL_MAGIC, layouts=layouts)
    if found != shard:
        raise MalformedRecordError(f"record of shard {found} in the journal of {shard}")
    return items
