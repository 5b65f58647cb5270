"""Sending records of one topic and market: one at a time, each until the log has it."""

from collections.abc import Iterable

import structlog
from tenacity import AsyncRetrying, RetryCallState, retry_if_exception_type, wait_exponential

from actors.book.market import Market
from actors.log.ports import EventSink
from actors.platform.errors import LogError

_log = structlog.get_logger(__name__)


class RecordSender:
    """Write a market's records to a topic.

    Each waits for the one before it, and is sent until the log has it: a record that failed between
    two that did not would be a hole, for consumers drop what comes late.
    """

    def __init__(self, topic: str, *, market: Market, sink: EventSink) -> None:
        self._topic = topic
        self._market = market
        self._sink = sink

    async def send(self, records: Iterable[bytes]) -> None:
        """Return when the log has all of them."""
        for record in records:
            try:
                await self._sink.publish(self._topic, self._market, record)
            except LogError as error:
                self._tell(1, error)
                await self._send_again(record)

    async def _send_again(self, record: bytes) -> None:
        async for attempt in AsyncRetrying(
            wait=wait_exponential(multiplier=0.05, max=1.0),
            retry=retry_if_exception_type(LogError),
            before_sleep=self._note_retry,
        ):
            with attempt:
                await self._sink.publish(self._topic, self._market, record)

    def _note_retry(self, state: RetryCallState) -> None:
        failure = state.outcome.exception() if state.outcome else None
        self._tell(state.attempt_number + 1, failure)

    def _tell(self, attempt: int, failure: BaseException | None) -> None:
        _log.warning(
            "publish_repeated",
            topic=self._topic,
            pair=self._market.pair,
            attempt=attempt,
            why=str(failure),
        )
