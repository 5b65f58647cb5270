import numpy as np

from actors.book.records import EVENT_DTYPE, RecordArray, encode_client_order_id
from actors.book.vocabulary import EventKind, Flag, OrderStatus, Side
from actors.writer.rows import ORDER_LAYOUT, order_payload, printable, rows_of, trade_payload


def _events(*rows: dict[str, int]) -> RecordArray:
    events = np.zeros(len(rows), EVENT_DTYPE)
    for number, row in enumerate(rows):
        events[number]["sequence"] = number + 1
        events[number]["market_id"] = 1
        for field, value in row.items():
            events[number][field] = value
    return events


def _order(order_id: int, **fields: int) -> dict[str, int]:
    return {"kind": EventKind.ORDER, "order_id": order_id, **fields}


def test_an_order_that_changes_in_the_batch_is_inserted_once_with_its_last_image() -> None:
    events = _events(
        _order(5, flags=Flag.NEW | Flag.LAST, status=OrderStatus.OPEN),
        {"kind": EventKind.TRADE, "order_id": 5, "status": OrderStatus.PARTIALLY_FILLED},
        _order(5, flags=Flag.LAST, status=OrderStatus.CANCELLED),
    )
    rows = rows_of(events)
    assert rows.inserts["sequence"].tolist() == [3]
    assert rows.inserts["status"].tolist() == [OrderStatus.CANCELLED]
    assert rows.trades["sequence"].tolist() == [2]
    assert len(rows.changes) == 0
    assert len(rows) == 2


def test_an_older_order_is_changed_to_its_last_image() -> None:
    events = _events(
        {"kind": EventKind.TRADE, "order_id": 9},
        {"kind": EventKind.TRADE, "order_id": 9, "status": OrderStatus.FILLED},
        _order(8, flags=Flag.LAST),
    )
    rows = rows_of(events)
    assert rows.changes[["order_id", "sequence"]].tolist() == [(8, 3), (9, 2)]
    assert len(rows.inserts) == 0


def test_the_same_id_in_two_markets_is_two_orders() -> None:
    events = _events(
        _order(5, market_id=2, flags=Flag.NEW),
        _order(5, market_id=1, flags=Flag.NEW),
        _order(5, market_id=2, status=OrderStatus.CANCELLED),
    )
    rows = rows_of(events)
    assert rows.inserts[["market_id", "sequence"]].tolist() == [(1, 2), (2, 3)]


def test_refusals_markets_totals_and_fences_are_no_rows() -> None:
    events = _events(
        *({"kind": kind, "order_id": 1} for kind in (EventKind.REFUSED, EventKind.MARKET)),
        {"kind": EventKind.DONE},
        {"kind": EventKind.FENCE, "shard": 1, "generation": 5},
    )
    assert len(rows_of(events)) == 0


def test_the_aggressor_is_the_side_that_the_maker_is_not() -> None:
    events = _events(
        {"kind": EventKind.TRADE, "side": Side.BUY}, {"kind": EventKind.TRADE, "side": Side.SELL}
    )
    payload = trade_payload(rows_of(events).trades)
    row = (len(payload) - 19 - 2) // 2
    before_aggressor = 2 + (4 + 4) + 5 * (4 + 8) + 4
    found = [payload[19 + number * row + before_aggressor :][:2] for number in (0, 1)]
    assert found == [b"\x00\x02", b"\x00\x01"]


def test_a_makers_image_does_not_name_its_taker_as_related_order() -> None:
    maker = _events({"kind": EventKind.TRADE, "order_id": 1, "related_order_id": 77})
    duplicate = _events(_order(1, related_order_id=77))
    related = (77).to_bytes(8, "big")
    assert related not in order_payload(maker)
    assert related in order_payload(duplicate)
    assert ORDER_LAYOUT.columns[-1] == "client_order_id"


def test_text_that_postgres_refuses_is_replaced_and_other_text_is_kept() -> None:
    raw = [b"ok-1", b"caf\xe9", b"a\0b", b"", b"\xff\0\0z"]
    assert printable(np.array(raw, "S40")).tolist() == [b"ok-1", b"caf?", b"a?b", b"", b"???z"]


def test_a_client_order_id_stands_at_the_end_of_its_row() -> None:
    events = _events(_order(1))
    events["client_order_id"] = encode_client_order_id("mine-7")
    assert order_payload(events).endswith(b"\0\0\0\x06mine-7\xff\xff")
