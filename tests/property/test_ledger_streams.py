"""Seeded streams of every kind of command: held, matched, and settled by every ledger alike.

Repeat one that failed by its test id:
`.venv/bin/pytest "tests/property/test_ledger_streams.py::<the test's name>[<arena>-<seed>]"`.
"""

from dataclasses import replace

import numpy as np
import pytest

from actors.book.market import Market
from actors.book.records import COMMAND_DTYPE, EVENT_DTYPE, RecordArray
from actors.book.vocabulary import CommandKind, OrderType, Side
from actors.ledger.vocabulary import JournalKind, Outcome
from tests.property.ledger_floor import Floor, record
from tests.property.streams import ARENAS, Arena, stream

COMMANDS = 6_000
SEEDS = (1, 2)
BATCHES = (1, 2, 7, 64, 250)
# A tick x lot is many units, one, or less than one.
STEPS = {
    "crowded": ("0.01", "0.0003"),
    "scattered": ("0.0007", "0.00001"),
    "at the floor": ("0.01", "0.000007"),
    "at the ceiling": ("0.00001", "0.001"),
}


def with_steps(arena: str) -> Arena:
    """Return an arena whose market has the steps above."""
    tick_size, lot_size = STEPS[arena]
    market = replace(ARENAS[arena].market, tick_size=tick_size, lot_size=lot_size)
    return replace(ARENAS[arena], market=market)


def paid_for(commands: RecordArray, *, mid_ticks: int, seed: int) -> RecordArray:
    """Give market orders budgets, and all orders fee rates, as whoever holds for them does."""
    random = np.random.default_rng(seed)
    rows = commands.copy()
    count = len(rows)
    for name in COMMAND_DTYPE.names or ():
        if name in ("spare", "reserved"):
            rows[name] = 0
    is_market = (rows["kind"] == CommandKind.PLACE) & (rows["order_type"] == OrderType.MARKET)
    by_quote = rows["quote_units"] != 0
    buys = rows["side"] == Side.BUY
    shares = random.integers(10, 200, count)
    lots = random.integers(1, 60, count)
    rows["budget"][is_market & by_quote & ~buys] = lots[is_market & by_quote & ~buys]
    spends = is_market & ~by_quote & buys
    rows["budget"][spends] = mid_ticks * (lots * shares // 100 + 1)[spends]
    places = rows["kind"] == CommandKind.PLACE
    rows["maker_fee"][places] = random.choice([0, 1_000, -700, 100_000], np.sum(places))
    rows["taker_fee"][places] = random.choice([700, 2_000, 100_000], np.sum(places))
    return rows


def funded(market: Market, *, users: int, shards: int, amount: int) -> Floor:
    """Return a floor of one market on which every user but the last has enough."""
    floor = Floor(shards=shards, markets=[market])
    assets = floor.assets[market.market_id]
    for user_id in range(1, users + 1):
        shard = floor.shard_of(user_id)
        floor.write(shard, record(JournalKind.OPEN, id=user_id, user_id=user_id))
        for number, asset in enumerate((assets.base, assets.quote)):
            row = record(JournalKind.DEPOSIT, id=10_000 + 2 * user_id + number, user_id=user_id)
            row["asset"], row["amount"] = asset, amount // (1 if user_id < users else 10**6)
            floor.write(shard, row)
    return floor


def run(floor: Floor, commands: RecordArray, *, seed: int, compare_every: int) -> None:
    """Send all commands; take and settle them in batches of mixed sizes."""
    random = np.random.default_rng(seed)
    (market_id,) = floor.markets
    until, compared = 0, 0
    for place in range(len(commands)):
        row = commands[place : place + 1].copy()
        floor.send(market_id, row)
        if place < until:
            continue
        until = place + int(random.choice(BATCHES))
        floor.apply(market_id)
        if random.random() < 0.7:
            floor.settle(market_id)
        if place - compared >= compare_every:
            compared = place
            if random.random() < 0.5:
                floor.restart()
            floor.compare()
            floor.assert_sums_hold()
    floor.flush()
    floor.compare()
    floor.assert_sums_hold()
    floor.assert_holds_are_what_open_orders_may_cost()


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("arena", STEPS)
def test_every_path_of_an_order_releases_exactly_and_the_sums_hold(arena: str, seed: int) -> None:
    place = with_steps(arena)
    commands = paid_for(
        stream(place, seed=seed, count=COMMANDS), mid_ticks=place.mid_ticks, seed=seed
    )
    floor = funded(place.market, users=place.users, shards=seed, amount=2**59 // place.users)
    run(floor, commands, seed=seed, compare_every=500)
    book = floor.books[place.market.market_id]
    assert book.last_trade_id > COMMANDS // 100
    fees = sum(int(total["fees"]) for twins in floor.ledgers for total in twins[0].totals())
    assert fees > 0


def test_what_nobody_held_for_settles_to_the_same_balances() -> None:
    """A shard that starts anew reads what another has paid for, and comes to the same state."""
    place = with_steps("crowded")
    commands = paid_for(stream(place, seed=9, count=4_000), mid_ticks=place.mid_ticks, seed=9)
    told, silent = (
        funded(place.market, users=place.users, shards=1, amount=2**59 // place.users)
        for _ in range(2)
    )
    market_id = place.market.market_id
    for position in range(0, len(commands), 250):
        for number in range(position, position + 250):
            told.send(market_id, commands[number : number + 1].copy())
        told.apply(market_id)
        silent.events[market_id] = list(told.events[market_id])
        told.settle(market_id)
        silent.settle(market_id)
        assert told.ledgers[0][0].state_hash() == silent.ledgers[0][0].state_hash()
    assert told.ledgers[0][0].open_holds > 10


def test_pairs_may_be_settled_in_any_order() -> None:
    place = with_steps("crowded")
    other = replace(place.market, market_id=8, pair="USD-TEST")
    floors = [Floor(shards=1, markets=[place.market, other]) for _ in range(3)]
    for floor in floors:
        for user_id in range(1, place.users + 1):
            floor.write(0, record(JournalKind.OPEN, id=user_id, user_id=user_id))
    events = {}
    for market, seed in ((place.market, 3), (other, 4)):
        commands = paid_for(
            stream(place, seed=seed, count=3_000), mid_ticks=place.mid_ticks, seed=seed
        )
        commands["order_id"] += market.market_id << 32
        events[market.market_id] = floors[0].books[market.market_id].apply(commands).events
    seven, eight = events[7], events[8]
    for first, second in ((seven, eight), (eight, seven)):
        for ledger in floors[0].all_ledgers() if first is seven else floors[1].all_ledgers():
            ledger.settle(7 if first is seven else 8, first)
            ledger.settle(8 if first is seven else 7, second)
    random = np.random.default_rng(5)
    places = {7: 0, 8: 0}
    while any(places[one] < len(events[one]) for one in places):
        market_id = int(random.choice([7, 8]))
        start = places[market_id]
        places[market_id] = min(start + int(random.integers(1, 90)), len(events[market_id]))
        for ledger in floors[2].all_ledgers():
            ledger.settle(market_id, events[market_id][start : places[market_id]])
    hashes = {ledger.state_hash() for floor in floors for ledger in floor.all_ledgers()}
    assert len(hashes) == 1
    assert floors[0].ledgers[0][0].open_holds > 10


def test_orders_that_are_not_paid_for_never_reach_the_log() -> None:
    place = with_steps("crowded")
    commands = paid_for(stream(place, seed=6, count=2_000), mid_ticks=place.mid_ticks, seed=6)
    floor = funded(place.market, users=place.users, shards=1, amount=9_000_000)
    run(floor, commands, seed=6, compare_every=200)
    refused = [
        floor.send(place.market.market_id, commands[number : number + 1].copy())["outcome"]
        for number in range(200)
    ]
    assert Outcome.INSUFFICIENT in refused


def test_nothing_is_negative_between_two_events_of_one_command() -> None:
    """A range of events may end within a command; users have so little that most are refused."""
    place = with_steps("crowded")
    market_id = place.market.market_id
    commands = paid_for(stream(place, seed=7, count=3_000), mid_ticks=place.mid_ticks, seed=7)
    floor = funded(place.market, users=place.users, shards=1, amount=1_500_000)
    outcomes = []
    for number in range(len(commands)):
        result = floor.send(market_id, commands[number : number + 1].copy())
        outcomes.append(int(result["outcome"]))
        if number % 5:
            continue
        floor.apply(market_id)
        for event in np.concatenate(floor.events[market_id] or [np.zeros(0, EVENT_DTYPE)]):
            for ledger in floor.all_ledgers():
                ledger.settle(market_id, event.reshape(1))
                assert not np.any(ledger.balances()["available"] < 0)
        floor.events[market_id] = []
    floor.compare()
    assert outcomes.count(Outcome.INSUFFICIENT) > len(commands) // 20
    assert floor.books[market_id].last_trade_id > len(commands) // 30
