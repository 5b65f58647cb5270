"""Commands on their way to the log, and what is told of those that have no answer yet."""

import time
from collections.abc import Sequence

from actors.book.market import Market
from actors.errors import ForkastError, LogTimeoutError
from actors.ports import CommandLog
from api import commands
from api.errors import ApiError, from_platform_error
from api.metrics import GatewayMetrics
from api.recent import RecentOrders


class Sender:
    """Append commands; answer what a client is told where the log does not take them."""

    def __init__(self, *, log: CommandLog, recent: RecentOrders, metrics: GatewayMetrics) -> None:
        self._log = log
        self._recent = recent
        self._metrics = metrics

    async def send(
        self, market: Market, packed: Sequence[bytes], *, order_ids: Sequence[int] = ()
    ) -> ApiError | None:
        """Append commands as one record; return None when every in-sync replica has it.

        `order_ids` are the orders that it places: where the outcome stays unknown they are
        remembered as possibly on their way.
        """
        try:
            await self._log.append(market, commands.records(packed))
        except LogTimeoutError as error:
            self._recent.note_unsettled(order_ids)
            return from_platform_error(error, order_id=order_ids[0] if order_ids else 0)
        except ForkastError as error:
            return from_platform_error(error)
        if order_ids:
            self._metrics.accepted(market.pair, len(order_ids))
        return None


def now_us() -> int:
    """Return the gateway's clock in microseconds since the Unix epoch."""
    return time.time_ns() // 1_000
