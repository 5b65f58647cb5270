import numpy as np

from actors.follow.copy_format import BIGINT, INTEGER, SMALLINT, CopyLayout

HEADER = bytes.fromhex("5047434f50590aff0d0a00 00000000 00000000")


def test_a_row_of_integers_has_these_bytes() -> None:
    layout = CopyLayout({"a": SMALLINT, "b": INTEGER, "c": BIGINT})
    payload = layout.encode(
        {"a": np.array([1]), "b": np.array([-2]), "c": np.array([2**63 - 1], np.int64)}
    )
    row = bytes.fromhex("0003 00000002 0001 00000004 fffffffe 00000008 7fffffffffffffff")
    assert payload == HEADER + row + b"\xff\xff"


def test_text_of_different_lengths_is_cut_to_its_length_and_keeps_its_row() -> None:
    layout = CopyLayout({"a": SMALLINT}, text="t")
    payload = layout.encode({"a": np.array([1, 2, 3]), "t": np.array([b"xy", b"", b"z"], "S40")})
    rows = (
        "0002 00000002 0001 00000002 78790002 00000002 0002 000000000002 00000002 0003 00000001 7a"
    )
    assert payload == HEADER + bytes.fromhex(rows) + b"\xff\xff"


def test_text_of_one_length_and_empty_text_take_the_short_ways() -> None:
    layout = CopyLayout({"a": SMALLINT}, text="t")
    alike = layout.encode({"a": np.array([1, 2]), "t": np.array([b"xy", b"zw"])})
    empty = layout.encode({"a": np.array([1, 2]), "t": np.array([b"", b""], "S40")})
    alike_rows = "0002 00000002 0001 00000002 7879 0002 00000002 0002 00000002 7a77"
    empty_rows = "0002 00000002 0001 00000000 0002 00000002 0002 00000000"
    assert alike == HEADER + bytes.fromhex(alike_rows) + b"\xff\xff"
    assert empty == HEADER + bytes.fromhex(empty_rows) + b"\xff\xff"


def test_no_rows_are_a_header_and_a_trailer() -> None:
    layout = CopyLayout({"a": SMALLINT}, text="t")
    payload = layout.encode({"a": np.array([], np.int64), "t": np.array([], "S40")})
    assert payload == HEADER + b"\xff\xff"


def test_the_columns_are_named_in_the_order_of_the_payload() -> None:
    assert CopyLayout({"b": SMALLINT, "a": BIGINT}, text="t").columns == ("b", "a", "t")
    assert CopyLayout({"b": SMALLINT}).columns == ("b",)
