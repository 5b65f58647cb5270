"""The auditor on real servers: each wrong record is one finding, and right ones are none."""

import asyncpg
import pytest

from actors.book.reasons import Reason
from actors.book.records import encode_client_order_id
from actors.book.vocabulary import OrderStatus, Side
from actors.platform.config import Servers
from cluster.plan import Platform
from cluster.tools.chaos.audit import Auditor, Findings
from cluster.tools.chaos.record import Sent
from tests.beds.commands import place
from tests.beds.leases import MarketLeases
from tests.beds.routing import command_log, make_platform

_ROW = """
INSERT INTO orders VALUES
($1, 1, $2, 1, 1, 1, 0, 0, $3, $4, $5, 100, 0, 0, 0, 0, 1, 1, $1, 0, $6)
"""


@pytest.fixture(scope="module")
async def platform(
    servers: Servers, leases: MarketLeases, tmp_path_factory: pytest.TempPathFactory
) -> Platform:
    """A market whose log and table hold the orders 1 to 3, the third under the second's id."""
    own = await leases.market(pair="AUD-USD")
    platform = make_platform(servers, [own], tmp_path_factory.mktemp("audit"))
    async with command_log(platform) as log:
        for order_id, client_order_id in ((1, "a"), (2, "b"), (3, "b")):
            command = place(order_id, Side.BUY, price_ticks=1_000, quantity_lots=100)
            command["client_order_id"] = encode_client_order_id(client_order_id)
            await log.append(own, command)
    connection = await asyncpg.connect(servers.postgres_url)
    duplicate = Reason.DUPLICATE_CLIENT_ORDER_ID
    for order_id, status, reason, client_order_id in (
        (1, OrderStatus.OPEN, 0, "a"),
        (2, OrderStatus.OPEN, 0, "b"),
        (3, OrderStatus.REJECTED, duplicate, "b"),
    ):
        columns = (order_id, own.market_id, status, reason, 1_000, client_order_id)
        await connection.execute(_ROW, *columns)
    await connection.close()
    return platform


async def test_right_records_are_found_right(platform: Platform) -> None:
    findings = await _judged(platform, _sent("a", 1), _sent("b", 2, attempts=2))
    assert not len(findings), findings


async def test_an_accepted_order_that_is_nowhere_is_lost(platform: Platform) -> None:
    findings = await _judged(platform, _sent("c", 4))
    assert findings.lost == ["c, order 4: not in the log", "order 4: no row"]


async def test_an_answer_that_nothing_was_done_must_be_true(platform: Platform) -> None:
    findings = await _judged(platform, _sent("b", 2, attempts=2, unavailable=1))
    assert len(findings) == len(findings.disagreed) == 1


async def test_a_row_must_be_what_was_asked_for(platform: Platform) -> None:
    sent = _sent("a", 1)
    sent.body["price"] = "10.01"
    assert len((await _judged(platform, sent)).disagreed) == 1


async def test_an_order_told_as_cancelled_must_be(platform: Platform) -> None:
    sent = _sent("a", 1)
    sent.cancelled = True
    assert len((await _judged(platform, sent)).disagreed) == 1


async def test_an_order_that_came_to_be_twice_is_doubled(platform: Platform) -> None:
    connection = await asyncpg.connect(platform.servers.postgres_url)
    status = "UPDATE orders SET reason = $1 WHERE market_id = $2 AND order_id = 3"
    (own,) = platform.topology
    await connection.execute(status, 0, own.market_id)
    try:
        findings = await _judged(platform, _sent("b", 2, attempts=2))
    finally:
        await connection.execute(status, Reason.DUPLICATE_CLIENT_ORDER_ID, own.market_id)
        await connection.close()
    assert findings.doubled == ["b is 2 orders"]


def _sent(client_order_id: str, order_id: int, *, attempts: int = 1, unavailable: int = 0) -> Sent:
    body = {"tradingPair": "AUD-USD", "type": "BUY", "price": "10", "quantity": "0.01", "userId": 1}
    return Sent(
        client_order_id=client_order_id,
        body=body,
        attempts=attempts,
        unavailable=unavailable,
        order_id=order_id,
    )


async def _judged(platform: Platform, *orders: Sent) -> Findings:
    auditor = Auditor(platform)
    try:
        return await auditor.judge(orders)
    finally:
        await auditor.stop()
