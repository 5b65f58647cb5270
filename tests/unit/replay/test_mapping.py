"""The rules that turn an exchange's messages into commands, one by one."""

import pytest

from actors.book.records import RecordArray
from actors.book.vocabulary import CommandKind, Flag, OrderType, Side, TimeInForce
from cluster.markets import default_topology
from cluster.tools.replay.capture import OrderEvent
from cluster.tools.replay.mapping import Flow, map_events

MARKET = default_topology().market("BTC-USD")
START, LATER, END = 1_000, 2_000, 9_000
PRICE, LOTS = 7_800_000, 5_000_000
FAR_ABOVE = 99_999_999_900


def event(order_id: int, time_ms: int, action: str, **fields: int | Side) -> OrderEvent:
    return OrderEvent(
        order_id,
        time_ms,
        int(fields.get("price", PRICE)),
        int(fields.get("lots", LOTS)),
        action,
        Side(fields.get("side", Side.BUY)),
    )


def seed(order_id: int = 1, **fields: int | Side) -> OrderEvent:
    return event(order_id, START, "created", **fields)


def end() -> OrderEvent:
    """Return an event that marks the capture's end without being an order's."""
    return event(999, END, "deleted", lots=0)


def kinds(flow: Flow) -> list[tuple[int, int]]:
    commands: RecordArray = flow.commands
    return list(zip(commands["kind"].tolist(), commands["order_id"].tolist(), strict=True))


def test_the_first_instant_is_the_book_at_the_start() -> None:
    flow = map_events([seed(1), seed(2), event(3, LATER, "created"), end()], MARKET)
    assert flow.seeds == 2
    assert kinds(flow) == [(CommandKind.PLACE, number) for number in (1, 2, 3)]


def test_a_deletion_with_volume_left_is_a_cancel() -> None:
    flow = map_events([seed(1), event(1, LATER, "deleted"), end()], MARKET)
    assert kinds(flow) == [(CommandKind.PLACE, 1), (CommandKind.CANCEL, 1)]


@pytest.mark.parametrize("action", ["deleted", "changed"])
def test_a_fill_is_no_command(action: str) -> None:
    flow = map_events([seed(1), event(1, LATER, action, lots=0), end()], MARKET)
    assert kinds(flow) == [(CommandKind.PLACE, 1)]


def test_an_order_gone_in_its_own_millisecond_was_post_only() -> None:
    events = [seed(1), event(2, LATER, "created"), event(2, LATER, "deleted"), end()]
    flow = map_events(events, MARKET)
    assert flow.commands["flags"].tolist() == [0, Flag.POST_ONLY, 0]
    assert kinds(flow)[1:] == [(CommandKind.PLACE, 2), (CommandKind.CANCEL, 2)]


def test_an_order_gone_a_millisecond_later_was_an_ordinary_one() -> None:
    events = [seed(1), event(2, LATER, "created"), event(2, LATER + 1, "deleted"), end()]
    assert not map_events(events, MARKET).commands["flags"].any()


def test_a_sale_at_price_zero_is_a_market_order() -> None:
    events = [seed(1), event(2, LATER, "created", price=0, side=Side.SELL), end()]
    order = map_events(events, MARKET).commands[1]
    assert order["order_type"] == OrderType.MARKET
    assert order["time_in_force"] == TimeInForce.IOC
    assert (order["price_ticks"], order["quantity_lots"]) == (0, LOTS)


def test_a_purchase_without_volume_spends_what_the_other_side_lost() -> None:
    events = [
        seed(1, side=Side.SELL),
        seed(2, side=Side.SELL, price=PRICE + 1),
        event(3, LATER, "created", price=FAR_ABOVE, lots=0),
        event(1, LATER, "deleted", lots=0, side=Side.SELL),
        event(2, LATER, "changed", price=PRICE + 1, lots=LOTS - 7, side=Side.SELL),
        event(3, LATER, "deleted", lots=0),
        end(),
    ]
    order = map_events(events, MARKET).commands[2]
    assert order["quote_units"] == LOTS * PRICE + 7 * (PRICE + 1)
    assert order["quantity_lots"] == 0


def test_a_snapshot_row_that_a_resting_order_contradicts_is_left_out() -> None:
    events = [
        seed(1, side=Side.SELL),
        event(2, LATER, "created", price=PRICE),
        event(2, LATER + 5, "deleted", price=PRICE),
        event(1, END, "deleted", side=Side.SELL),
    ]
    flow = map_events(events, MARKET)
    assert flow.stale == 1
    assert kinds(flow) == [(CommandKind.PLACE, 2), (CommandKind.CANCEL, 2)]


def test_a_snapshot_row_that_is_heard_of_again_stays() -> None:
    events = [
        seed(1, side=Side.SELL),
        event(2, LATER, "created", price=PRICE),
        event(2, LATER + 5, "deleted", price=PRICE),
        event(1, LATER + 6, "deleted", side=Side.SELL),
        end(),
    ]
    assert map_events(events, MARKET).stale == 0


def test_orders_beyond_the_markets_limits_are_counted_and_left_out() -> None:
    events = [
        seed(1, lots=MARKET.max_quantity_lots + 1),
        seed(2, price=MARKET.max_price_ticks + 1, side=Side.SELL),
        seed(3, price=1, lots=1),
        event(1, LATER, "deleted", lots=MARKET.max_quantity_lots + 1),
        end(),
    ]
    flow = map_events(events, MARKET)
    assert (flow.outside, len(flow.commands)) == (3, 0)


def test_no_events_make_no_commands() -> None:
    assert len(map_events([], MARKET).commands) == 0
