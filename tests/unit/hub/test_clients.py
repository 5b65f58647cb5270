"""One client's bounded queue: what waits aside, what is merged, what is cut."""

import asyncio
from typing import Any

import pytest
from engineio.packet import MESSAGE

from actors.platform.messages import DepthChange, LevelRow
from api.exchange.decimals import MarketDecimals
from api.hub.clients import Client, MergedDepth
from api.hub.packets import Batch, EventPacket, ExactJson, event_packet
from api.hub.transport import EngineServer, HubSocket
from tests.beds.commands import market

UNITS = MarketDecimals(market())
KEY = (UNITS.market.pair, "book")


def socket() -> HubSocket:
    return HubSocket(EngineServer(async_mode="asgi", unread_max=8), "session")


def client(of: HubSocket, *, bound: int = 8, levels_max: int = 5) -> Client:
    return Client(sid="client", socket=of, bound=bound, levels_max=levels_max)


def packet(text: str) -> EventPacket:
    return EventPacket(MESSAGE, data=text)


def trades(count: int) -> Batch:
    return Batch([packet("trade")] * count)


def read(of: HubSocket) -> list[str]:
    """Return what the client would be sent now."""
    texts = []
    while not of.queue.empty():
        texts.append(of.queue.get_nowait().data)
        of.queue.task_done()
    return texts


def change(first: int, last: int, *bids: LevelRow) -> DepthChange:
    return DepthChange(1, last, first, last, list(bids), [])


async def test_what_fits_is_sent_in_order() -> None:
    line = socket()
    one = client(line)
    assert not one.send(trades(9))
    assert one.send(Batch([packet("a"), packet("b")]))
    one.send_newest(KEY, packet("book"))
    assert read(line) == ["a", "b", "book"]


async def test_a_slow_reader_gets_only_the_newest_book() -> None:
    line = socket()
    one = client(line)
    one.send(trades(4))
    for text in ("book 1", "book 2", "book 3"):
        one.send_newest(KEY, packet(text))
    assert one.lags
    one.flush()
    assert read(line) == ["trade"] * 4
    one.flush()
    assert read(line) == ["book 3"]
    assert not one.lags


async def test_books_that_wait_take_no_room_from_trades() -> None:
    line = socket()
    one = client(line)
    one.send(trades(4))
    for number in range(100):
        one.send_newest((UNITS.market.pair, number), packet("book"))
    assert one.send(trades(4))
    assert one.full


async def test_changes_that_wait_are_merged_to_one() -> None:
    line = socket()
    one = client(line)
    one.send(trades(4))
    assert one.send_depth(UNITS, change(10, 12, (100, 5, 0, 1), (99, 1, 0, 1)), packet("1"))
    assert one.send_depth(UNITS, change(12, 13, (100, 0, 0, 0)), packet("2"))
    read(line)
    one.flush()
    (merged,) = (ExactJson.loads(text[1:])[1] for text in read(line))
    assert (merged["firstUpdateId"], merged["lastUpdateId"], merged["sequence"]) == (11, 13, 13)
    assert {row["price"]: row["quantity"] for row in merged["bids"]} == {"0.99": "0.0001", "1": "0"}


async def test_after_a_gap_the_newest_changes_are_kept() -> None:
    merged = MergedDepth(change(1, 2, (100, 5, 0, 1)))
    assert not merged.add(change(3, 4, (99, 1, 0, 1)))


async def test_more_levels_than_allowed_are_reported() -> None:
    line = socket()
    one = client(line, levels_max=2)
    one.send(trades(4))
    assert one.send_depth(UNITS, change(0, 1, (1, 1, 0, 1), (2, 1, 0, 1)), packet("1"))
    assert not one.send_depth(UNITS, change(1, 2, (3, 1, 0, 1)), packet("2"))


async def test_who_leaves_a_room_is_not_sent_what_waited() -> None:
    line = socket()
    one = client(line)
    one.send(trades(4))
    one.send_newest(KEY, packet("book"))
    one.send_newest(("OTHER", "book"), packet("other"))
    one.send_depth(UNITS, change(0, 1, (1, 1, 0, 1)), packet("depth"))
    one.forget(UNITS)
    read(line)
    one.flush()
    assert read(line) == ["other"]


async def test_a_cut_client_keeps_nothing_and_its_writer_ends() -> None:
    line = socket()
    one = client(line)
    one.send(trades(8))
    await one.cut()
    assert line.closed
    assert await asyncio.wait_for(line.poll(), 1) == []
    assert not one.lags


@pytest.mark.parametrize(
    ("text", "value"),
    [('{"price":0.1}', {"price": "0.1"}), ("[1e2,1.50]", ["1E+2", "1.50"]), ('"x"', "x")],
)
def test_numbers_keep_their_decimals_on_the_way_in(text: str, value: Any) -> None:
    assert _as_text(ExactJson.loads(text)) == value


def _as_text(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _as_text(inner) for key, inner in value.items()}
    return [_as_text(inner) for inner in value] if isinstance(value, list) else str(value)


@pytest.mark.parametrize(
    "text", ["", "[", "NaN", "[Infinity]", "[" * 100_000, "\ud800", "1e" + "9" * 20]
)
def test_what_is_not_json_is_a_value_error(text: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - the text is the library's own
        ExactJson.loads(text)


def test_an_event_is_encoded_once() -> None:
    made = event_packet("new_trade", {"id": "1"})
    assert made.encode() == '42["new_trade",{"id":"1"}]'
    assert made.encode() is made.encode(b64=True)
