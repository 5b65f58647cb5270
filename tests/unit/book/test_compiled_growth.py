"""Arrays that start with room for two orders grow to what the commands need, and no further."""

import numpy as np
import pytest

from actors.book.compiled import CompiledBook
from actors.book.market import Market
from actors.book.records import COMMAND_DTYPE, RecordArray, encode_client_order_id
from actors.book.vocabulary import CommandKind, EventKind, OrderType, Side, TimeInForce
from tests.property.streams import ARENAS, stream


def resting(count: int, *, users: int, levels: int, client_ids: bool = False) -> RecordArray:
    """Return `count` buy orders over so many users and price levels."""
    commands = np.zeros(count, COMMAND_DTYPE)
    commands["kind"] = CommandKind.PLACE
    commands["side"] = Side.BUY
    commands["order_type"] = OrderType.LIMIT
    commands["time_in_force"] = TimeInForce.GTC
    numbers = np.arange(count)
    commands["order_id"] = numbers + 1
    commands["user_id"] = numbers % users + 1
    commands["price_ticks"] = numbers * 7_919 % levels + 1
    commands["quantity_lots"] = 1
    if client_ids:
        for number in numbers.tolist():
            commands["client_order_id"][number] = encode_client_order_id(f"order-{number}")
    return commands


def of_user(kind: CommandKind, user_id: int) -> RecordArray:
    commands = np.zeros(1, COMMAND_DTYPE)
    commands["kind"] = kind
    commands["user_id"] = user_id
    return commands


@pytest.mark.parametrize("batch_size", [1, 6_000])
@pytest.mark.parametrize("arena", ARENAS)
def test_a_book_that_starts_tiny_answers_as_one_that_starts_large(
    arena: str, batch_size: int
) -> None:
    commands = stream(ARENAS[arena], seed=9, count=6_000)
    large = CompiledBook(ARENAS[arena].market, initial_orders=65_536)
    tiny = CompiledBook(ARENAS[arena].market, initial_orders=1)
    for start in range(0, len(commands), batch_size):
        batch = commands[start : start + batch_size]
        expected, actual = large.apply(batch), tiny.apply(batch)
        assert actual.events.tobytes() == expected.events.tobytes()
        assert actual.levels.tobytes() == expected.levels.tobytes()
        assert actual.previous_update_id == expected.previous_update_id
        assert actual.last_update_id == expected.last_update_id
    assert tiny.state_hash() == large.state_hash()


@pytest.mark.parametrize(
    ("users", "levels", "client_ids"),
    [(1, 1, False), (20_000, 1, False), (1, 20_000, False), (3, 100, True)],
    ids=["orders", "users", "levels", "client ids"],
)
def test_cancel_all_answers_for_every_order_however_they_are_spread(
    wide_market: Market, users: int, levels: int, client_ids: bool
) -> None:
    book = CompiledBook(wide_market, initial_orders=2)
    commands = resting(20_000, users=users, levels=levels, client_ids=client_ids)
    placed = book.apply(commands)
    assert placed.events["order_id"].tolist() == commands["order_id"].tolist()
    assert len(placed.levels) == levels
    assert book.open_orders == 20_000
    best = book.depth(50)[0]["price_ticks"].tolist()
    assert best == list(range(levels, max(levels - 50, 0), -1))
    removed = 0
    for user_id in range(1, min(users, 5) + 1):
        events = book.apply(of_user(CommandKind.CANCEL_ALL, user_id)).events
        assert int(events[-1]["kind"]) == EventKind.DONE
        own = commands["order_id"][commands["user_id"] == user_id]
        assert events["order_id"][:-1].tolist() == own.tolist()
        removed += len(own)
    assert book.open_orders == 20_000 - removed


def test_levels_that_come_and_go_within_one_large_batch_are_listed_once(
    wide_market: Market,
) -> None:
    book = CompiledBook(wide_market, initial_orders=2)
    places = resting(5_000, users=3, levels=10)
    cancels = places.copy()
    cancels["kind"] = CommandKind.CANCEL
    both = np.stack([places, cancels], axis=1).reshape(-1)
    applied = book.apply(both)
    assert applied.levels["price_ticks"].tolist() == list(range(1, 11))
    assert not applied.levels["order_count"].any()
    assert applied.last_update_id == 10_000


def test_memory_follows_the_live_book_and_not_its_history(wide_market: Market) -> None:
    book = CompiledBook(wide_market)
    places = resting(500, users=50, levels=500, client_ids=False)
    cancels = places.copy()
    cancels["kind"] = CommandKind.CANCEL
    sizes = [array.nbytes for array in book._arrays]
    for turn in range(200):
        for batch in (places, cancels):
            batch["order_id"] += 500
            batch["price_ticks"] += turn
            book.apply(batch)
    assert book.open_orders == 0
    assert [array.nbytes for array in book._arrays] == sizes


def test_an_idle_book_takes_less_than_a_megabyte_of_written_memory(wide_market: Market) -> None:
    book = CompiledBook(wide_market)
    book.apply(resting(1, users=1, levels=1))
    written = sum(
        array.nbytes for name, array in book._arrays._asdict().items() if name != "events"
    )
    assert written < 2**20


@pytest.mark.parametrize("form", ["read-only", "unaligned", "strided"])
def test_commands_of_any_memory_layout_are_taken(wide_market: Market, form: str) -> None:
    commands = resting(64, users=3, levels=9)
    if form == "strided":
        given = np.repeat(commands, 2)[::2]
    else:
        lead = b"?" if form == "unaligned" else b""
        given = np.frombuffer(lead + commands.tobytes(), COMMAND_DTYPE, offset=len(lead))
    expected = CompiledBook(wide_market).apply(commands)
    assert CompiledBook(wide_market).apply(given).events.tobytes() == expected.events.tobytes()


def test_an_empty_batch_changes_nothing(wide_market: Market) -> None:
    book = CompiledBook(wide_market)
    applied = book.apply(np.zeros(0, COMMAND_DTYPE))
    assert (len(applied.events), len(applied.levels), applied.last_update_id) == (0, 0, 0)
