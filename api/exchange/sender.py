"""Commands on their way to the log, and the refusal of those that have no answer yet."""

import time
from collections import OrderedDict
from collections.abc import Iterable, Sequence

from actors.book.market import Market
from actors.log.ports import CommandLog
from actors.platform.errors import ForkastError, LogTimeoutError
from api.exchange import commands
from api.exchange.admission import Admission
from api.exchange.metrics import OrderMetrics
from api.exchange.refusals import Refusal, changing_unknown, of_platform_error, placing_unknown
from api.exchange.values import NewOrder

OWNERS_MAX = 100_000
ASKED_MAX = 100_000
UNSETTLED_MAX = 100_000
# Longer than the log keeps trying to deliver what it has not confirmed.
UNSETTLED_S = 60.0


class SentOrders:
    """Where own orders went and which may still be on their way: bounded, never the truth."""

    def __init__(self) -> None:
        self._owners: OrderedDict[int, tuple[Market, int]] = OrderedDict()
        self._asked: OrderedDict[int, NewOrder] = OrderedDict()
        self._unsettled: OrderedDict[int, float] = OrderedDict()

    def note(self, order_id: int, order: NewOrder, *, user_id: int) -> None:
        """Remember where an order goes and whose it is; what it asks for, if it may be repeated."""
        self.note_many(order.market, ((order_id, order, user_id),))

    def note_many(self, market: Market, orders: Iterable[tuple[int, NewOrder, int]]) -> None:
        """Remember orders of one market: id, order and user of each."""
        owners = self._owners
        for order_id, order, user_id in orders:
            owners[order_id] = (market, user_id)
            if order.client_order_id:
                self._asked[order_id] = order
        while len(owners) > OWNERS_MAX:
            owners.popitem(last=False)
        while len(self._asked) > ASKED_MAX:
            self._asked.popitem(last=False)

    def asked(self, order_id: int) -> NewOrder | None:
        """Return what an order of this process with a client order id has asked for."""
        return self._asked.get(order_id)

    def owner(self, order_id: int) -> tuple[Market, int] | None:
        """Return the market and the user of an order of this process."""
        return self._owners.get(order_id)

    def note_unsettled(self, order_ids: Iterable[int]) -> None:
        """Remember orders that the log has not confirmed in time: they may still arrive."""
        now_s = time.monotonic()
        for order_id in order_ids:
            self._unsettled[order_id] = now_s
            if len(self._unsettled) > UNSETTLED_MAX:
                self._unsettled.popitem(last=False)

    def is_unsettled(self, order_id: int) -> bool:
        """Say whether an order may still be on its way to the log."""
        since_s = self._unsettled.get(order_id)
        return since_s is not None and time.monotonic() - since_s < UNSETTLED_S


class Sender:
    """Append commands; say what is told where the log does not take them."""

    def __init__(
        self, *, log: CommandLog, sent: SentOrders, admission: Admission, metrics: OrderMetrics
    ) -> None:
        self._log = log
        self._sent = sent
        self._admission = admission
        self._metrics = metrics

    async def place(
        self, market: Market, packed: Sequence[bytes], *, order_ids: Sequence[int]
    ) -> Refusal | None:
        """Append orders as one record; return None when every in-sync replica has it.

        Where the outcome stays unknown they are remembered as possibly on their way.
        """
        self._metrics.received(market.pair, len(order_ids))
        self._admission.sent(market, order_ids)
        try:
            await self._log.append(market, commands.records(packed))
        except LogTimeoutError:
            self._sent.note_unsettled(order_ids)
            return placing_unknown(order_ids[0])
        except ForkastError as error:
            self._admission.not_sent(market, order_ids)
            return of_platform_error(error)
        self._metrics.accepted(market.pair, len(order_ids))
        return None

    async def change(self, market: Market, packed: bytes, *, order_id: int) -> None:
        """Append any other command; return when every in-sync replica has it.

        `order_id` is the order that it changes, 0 for none. Raises Refusal.
        """
        try:
            await self._log.append(market, commands.records((packed,)))
        except LogTimeoutError as error:
            raise changing_unknown(order_id) from error
        except ForkastError as error:
            raise of_platform_error(error) from error


def now_us() -> int:
    """Return this process's clock in microseconds since the Unix epoch."""
    return time.time_ns() // 1_000
