"""The journal's bytes, pinned: a change here is a new version of the format, or a lost journal."""

import numpy as np
import pytest

from actors.book.codec import ItemLayout, MalformedRecordError
from actors.book.records import RecordArray
from actors.ledger.assets import asset_code
from actors.ledger.codec import JOURNAL_LAYOUTS, decode_journal, encode_journal
from actors.ledger.records import JOURNAL_DTYPE, RESULT_DTYPE
from tests.beds.layouts import digest_of

JOURNAL_HEX = (
    "46524b4a 0100 8000 01000000 03000000"
    "07 02 0000 00000000"
    "0102030405060708 1112131415161718 2122232425262728 990d000000000000 3132333435363738"
    "4142434445464748 5152535455565758 6162636465666768 7172737475767778 8182838485868788"
    "0000000000000000 0000000000000000 0000000000000000 0000000000000000 0000000000000000"
)


def item() -> RecordArray:
    row = np.zeros(1, JOURNAL_DTYPE)
    row["kind"], row["fee_tier"] = 7, 2
    words = [
        int.from_bytes(bytes(range(first, first + 8)), "little", signed=True)
        for first in range(1, 0x82, 16)
    ]
    names = ["id", "generation", "user_id", "amount", "time_us", "related_id", "related_user_id"]
    for name, word in zip(names, words, strict=False):
        row[name] = word
    row["idempotency_key"] = words[7:]
    row["asset"] = asset_code("BTC")
    return row


def test_the_bytes_of_a_journal_record_are_pinned() -> None:
    assert encode_journal(3, item()).hex() == JOURNAL_HEX.replace(" ", "")
    decoded = decode_journal(3, bytes.fromhex(JOURNAL_HEX))
    assert decoded.tobytes() == item().tobytes()


@pytest.mark.parametrize(
    ("layout", "digest"),
    [(JOURNAL_DTYPE, "5c1e27f8c567b69a"), (RESULT_DTYPE, "514df9e3cbbb5334")],
    ids=["journal", "results"],
)
def test_names_types_and_places_of_all_fields_are_pinned(
    layout: np.dtype[np.void], digest: str
) -> None:
    assert digest_of(layout) == digest


@pytest.mark.parametrize("cut", [0, 3, 15, 16, 100, -1])
def test_a_record_of_the_wrong_length_is_malformed(cut: int) -> None:
    with pytest.raises(MalformedRecordError):
        decode_journal(3, encode_journal(3, item())[:cut])


@pytest.mark.parametrize("place", [0, 4, 6, 8, 12])
def test_a_record_with_a_wrong_header_is_malformed(place: int) -> None:
    changed = bytearray(encode_journal(3, item()))
    changed[place] ^= 0x40
    with pytest.raises(MalformedRecordError):
        decode_journal(3, bytes(changed))


def test_another_shards_record_is_refused_in_one_line() -> None:
    with pytest.raises(MalformedRecordError, match=r"^record of shard 3 in the journal of 4$"):
        decode_journal(4, encode_journal(3, item()))


def test_a_record_of_an_older_version_is_lifted() -> None:
    older = np.dtype([("kind", "u1"), ("id", "<i8")])

    def lifted(items: RecordArray) -> RecordArray:
        rows = np.zeros(len(items), JOURNAL_DTYPE)
        rows["kind"], rows["id"] = items["kind"], items["id"]
        return rows

    row = np.array([(14, 5)], older)
    header = bytes.fromhex("46524b4a 4d00 0900 01000000 03000000")
    layouts = {**JOURNAL_LAYOUTS, 77: ItemLayout(older, lifted)}
    found = decode_journal(3, header + row.tobytes(), layouts=layouts)
    assert (found.dtype, int(found["kind"][0]), int(found["id"][0])) == (JOURNAL_DTYPE, 14, 5)
