"""A pair whose ranges are stamped on their way there and back, where somebody measures."""

from collections.abc import Awaitable

from actors.book.market import Market
from actors.pair.messages import RangeAnswer, RangeRequest
from actors.pair.ports import PairClient
from actors.platform.trace import Step, Trace, now_us


class TracedPair:
    """Pass everything on to a pair's client and stamp each range when its answer is here."""

    def __init__(self, pair: PairClient, *, market: Market, trace: Trace) -> None:
        self._pair = pair
        self._market_id = market.market_id
        self._trace = trace
        self.position = pair.position
        self.rewind = pair.rewind
        self.acknowledge = pair.acknowledge
        self.depth_messages = pair.depth_messages
        self.stats = pair.stats

    def apply(self, request: RangeRequest) -> Awaitable[RangeAnswer]:
        """Submit a range now; await its outcome."""
        return self._stamped(request, now_us(), self._pair.apply(request))

    async def _stamped(
        self, request: RangeRequest, began_us: int, answer: Awaitable[RangeAnswer]
    ) -> RangeAnswer:
        answered = await answer
        self._trace.stamp(
            Step.APPLIED,
            self._market_id,
            first_offset=request.first_offset,
            next_offset=request.next_offset,
            began_us=began_us,
        )
        return answered
