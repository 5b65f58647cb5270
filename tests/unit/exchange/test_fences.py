"""A fence in a market's log: whoever reads events passes over it, and what it shuts out is told."""

import numpy as np
import pytest

from actors.book.codec import encode_commands
from actors.book.records import COMMAND_DTYPE
from actors.book.vocabulary import CommandKind, OrderStatus
from actors.platform.topology import COMMANDS_TOPIC
from api.exchange.refusals import UnavailableError
from tests.beds.services import ALICE, BOB, Floor, Services, ask, bid

WAIT_S = 5.0


def _fence(floor: Floor, *, shard: int) -> None:
    command = np.zeros(1, COMMAND_DTYPE)
    command["kind"] = CommandKind.FENCE
    command["shard"] = shard
    command["generation"] = 1
    value = encode_commands(floor.one.market_id, command)
    floor.log.append(COMMANDS_TOPIC, floor.topology.partition(floor.one), value)


async def test_a_fence_of_another_shard_changes_nothing_for_orders(
    floor: Floor, gateway: Services
) -> None:
    _fence(floor, shard=9)
    first = await gateway.entry.place(ALICE, bid(floor.one), wait_s=WAIT_S)
    _fence(floor, shard=10)
    second = await gateway.entry.place(BOB, ask(floor.one), wait_s=WAIT_S)
    assert second.order is not None
    assert (second.order.status, second.order.sequence) == (OrderStatus.FILLED, 5)
    assert [trade.maker_order_id for trade in second.trades] == [first.order_id]


async def test_an_order_that_is_shut_out_was_not_placed_and_may_be_tried_again(
    floor: Floor, gateway: Services
) -> None:
    _fence(floor, shard=0)
    with pytest.raises(UnavailableError) as caught:
        await gateway.entry.place(ALICE, bid(floor.one), wait_s=WAIT_S)
    assert (caught.value.code, caught.value.retry_after_s) == ("FENCED", 1)
    assert caught.value.order_id
    placed = await gateway.entry.place(ALICE, bid(floor.two), wait_s=WAIT_S)
    assert placed.order is not None
    assert placed.order.status == OrderStatus.OPEN
