"""Commands on their way to the log, and what is told of those that have no answer yet."""

import time
from collections.abc import Sequence

from actors.book.market import Market
from actors.log.ports import CommandLog
from actors.platform.errors import ForkastError, LogTimeoutError
from api.asgi.errors import ApiError, changing_unknown, from_platform_error, placing_unknown
from api.exchange import commands
from api.exchange.metrics import GatewayMetrics
from api.exchange.recent import RecentOrders


class Sender:
    """Append commands; answer what a client is told where the log does not take them."""

    def __init__(self, *, log: CommandLog, recent: RecentOrders, metrics: GatewayMetrics) -> None:
        self._log = log
        self._recent = recent
        self._metrics = metrics

    async def place(
        self, market: Market, packed: Sequence[bytes], *, order_ids: Sequence[int]
    ) -> ApiError | None:
        """Append orders as one record; return None when every in-sync replica has it.

        Where the outcome stays unknown they are remembered as possibly on their way.
        """
        self._metrics.received(market.pair, len(order_ids))
        try:
            await self._log.append(market, commands.records(packed))
        except LogTimeoutError:
            self._recent.note_unsettled(order_ids)
            return placing_unknown(order_ids[0])
        except ForkastError as error:
            return from_platform_error(error)
        self._metrics.accepted(market.pair, len(order_ids))
        return None

    async def change(self, market: Market, packed: bytes, *, order_id: int) -> None:
        """Append any other command; return when every in-sync replica has it.

        `order_id` is the order that it changes, 0 for none. Raises ApiError.
        """
        try:
            await self._log.append(market, commands.records((packed,)))
        except LogTimeoutError as error:
            raise changing_unknown(order_id) from error
        except ForkastError as error:
            raise from_platform_error(error) from error


def now_us() -> int:
    """Return the gateway's clock in microseconds since the Unix epoch."""
    return time.time_ns() // 1_000
