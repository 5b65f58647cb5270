"""Commands packed by hand equal those that numpy would have written."""

import numpy as np

from actors.book.records import COMMAND_DTYPE, encode_client_order_id
from actors.book.vocabulary import CommandKind, Flag, OrderType, Side, TimeInForce
from api.exchange import commands
from api.exchange.values import NewOrder
from tests.beds.commands import market


def test_an_order_packs_itself_and_reads_field_by_field_as_it_was_given() -> None:
    order = NewOrder(
        market=market(),
        side=Side.SELL,
        order_type=OrderType.LIMIT,
        time_in_force=TimeInForce.GTD,
        self_trade_prevention=4,
        post_only=True,
        price_ticks=13,
        quantity_lots=14,
        quote_units=15,
        expires_us=17,
        client_order_id=b"a-client-order-id",
    )
    packed = order.command(order_id=11, user_id=12, time_us=16)
    expected = np.zeros(1, COMMAND_DTYPE)
    expected["kind"] = CommandKind.PLACE
    expected["side"], expected["order_type"] = Side.SELL, OrderType.LIMIT
    expected["time_in_force"], expected["self_trade_prevention"] = TimeInForce.GTD, 4
    expected["flags"] = Flag.POST_ONLY
    expected["command_id"] = expected["order_id"] = 11
    expected["user_id"], expected["price_ticks"], expected["quantity_lots"] = 12, 13, 14
    expected["quote_units"], expected["time_us"], expected["expires_us"] = 15, 16, 17
    expected["client_order_id"] = encode_client_order_id("a-client-order-id")
    assert commands.records([packed]).tobytes() == expected.tobytes()


def test_a_packed_change_reads_field_by_field_as_it_was_given() -> None:
    packed = commands.change(
        CommandKind.AMEND,
        command_id=1,
        time_us=2,
        order_id=3,
        user_id=4,
        side=Side.BUY,
        price_ticks=5,
        quantity_lots=6,
    )
    (record,) = commands.records([packed])
    fields = ("kind", "command_id", "time_us", "order_id", "user_id", "side", "price_ticks")
    assert [int(record[name]) for name in fields] == [CommandKind.AMEND, 1, 2, 3, 4, Side.BUY, 5]
    assert record["quantity_lots"] == 6
    assert not record["client_order_id"].any()


def test_many_commands_become_one_array() -> None:
    packed = [
        commands.change(CommandKind.CANCEL, command_id=number, time_us=0) for number in range(5)
    ]
    assert commands.records(packed)["command_id"].tolist() == list(range(5))
