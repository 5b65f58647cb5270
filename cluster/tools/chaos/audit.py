"""The clients' records against the log of commands and the orders' rows."""

from collections import Counter
from collections.abc import Iterable
from fractions import Fraction

import asyncpg
import msgspec

from actors.book.codec import decode_commands
from actors.book.reasons import Reason
from actors.book.records import decode_client_order_ids
from actors.book.vocabulary import CommandKind, OrderStatus, Side
from actors.log.reader import KafkaLogReader
from actors.platform.topology import COMMANDS_TOPIC
from cluster.plan import Platform
from cluster.tools.chaos.record import Sent

_READ_MS = 500
_ROWS = """
SELECT order_id, market_id, client_order_id, user_id, side, price_ticks, quantity_lots, status
FROM orders WHERE order_id = ANY($1::bigint[])
"""
_DOUBLED = """
SELECT market_id, user_id, client_order_id, count(*) FROM orders
WHERE client_order_id <> '' AND reason <> $1
GROUP BY market_id, user_id, client_order_id HAVING count(*) > 1
"""


class Findings(msgspec.Struct, kw_only=True):
    """What the records and the platform do not agree on, a sentence each."""

    lost: list[str] = []
    doubled: list[str] = []
    disagreed: list[str] = []

    def __len__(self) -> int:
        return len(self.lost) + len(self.doubled) + len(self.disagreed)


class Auditor:
    """Read the log on from where it was left, and judge the orders that were settled since."""

    def __init__(self, platform: Platform) -> None:
        self._platform = platform
        self._reader = KafkaLogReader(
            bootstrap=platform.servers.kafka_bootstrap,
            topic=COMMANDS_TOPIC,
            client_id="forkast-chaos",
        )
        self._placed: Counter[int] = Counter()
        self._sent: Counter[bytes] = Counter()
        self._connected = False

    async def stop(self) -> None:
        """Disconnect."""
        await self._reader.stop()

    async def judge(self, orders: Iterable[Sent]) -> Findings:
        """Hold settled orders against the log and the rows. Raises LogError, asyncpg's errors."""
        await self._read_log()
        findings = Findings()
        accepted = []
        for order in orders:
            findings.disagreed += order.contradictions
            if order.order_id:
                accepted.append(order)
                self._judge_by_log(order, findings)
        await self._judge_by_rows(accepted, findings)
        return findings

    async def _read_log(self) -> None:
        if not self._connected:
            topology = self._platform.topology
            await self._reader.start({topology.partition(market): 0 for market in topology})
            self._connected = True
        ends = await self._reader.end_offsets()
        while any(self._reader.positions[number] < end for number, end in ends.items()):
            for number, records in (await self._reader.read(timeout_ms=_READ_MS)).items():
                for record in records:
                    self._note(number + 1, record.value)

    def _note(self, market_id: int, value: bytes) -> None:
        commands = decode_commands(market_id, value)
        placed = commands[commands["kind"] == CommandKind.PLACE]
        self._placed.update(placed["order_id"].tolist())
        self._sent.update(decode_client_order_ids(placed).tolist())

    def _judge_by_log(self, order: Sent, findings: Findings) -> None:
        times = self._placed[order.order_id]
        if times == 0:
            findings.lost.append(f"{order.client_order_id}, order {order.order_id}: not in the log")
        elif times > 1:
            findings.doubled.append(f"order {order.order_id} is in the log {times} times")
        sent = self._sent[order.client_order_id.encode()]
        if sent > order.attempts - order.unavailable:
            findings.disagreed.append(
                f"{order.client_order_id} is in the log {sent} times after {order.attempts} "
                f"attempts, of which {order.unavailable} were answered that nothing was done"
            )

    async def _judge_by_rows(self, orders: list[Sent], findings: Findings) -> None:
        connection = await asyncpg.connect(self._platform.servers.postgres_url, timeout=10)
        try:
            ids = [order.order_id for order in orders]
            rows = {row["order_id"]: row for row in await connection.fetch(_ROWS, ids)}
            twice = await connection.fetch(_DOUBLED, int(Reason.DUPLICATE_CLIENT_ORDER_ID))
        finally:
            await connection.close(timeout=5)
        findings.doubled += [f"{row['client_order_id']} is {row['count']} orders" for row in twice]
        for order in orders:
            row = rows.get(order.order_id)
            if row is None:
                findings.lost.append(f"order {order.order_id}: no row")
            elif (difference := self._difference(order, row)) is not None:
                findings.disagreed.append(difference)

    def _difference(self, order: Sent, row: asyncpg.Record) -> str | None:
        market = self._platform.topology.market(order.pair)
        body = order.body
        asked = {
            "market_id": market.market_id,
            "client_order_id": order.client_order_id,
            "user_id": body["userId"],
            "side": int(Side[body["type"]]),
            "price_ticks": Fraction(body["price"]) / Fraction(market.tick_size),
            "quantity_lots": Fraction(body["quantity"]) / Fraction(market.lot_size),
        }
        kept = {name: row[name] for name in asked}
        if kept != asked:
            return f"order {order.order_id} was {asked}, its row says {kept}"
        if order.cancelled and row["status"] != OrderStatus.CANCELLED:
            return (
                f"order {order.order_id} was answered as cancelled, its status is {row['status']}"
            )
        return None
