"""The live books against the fold: open orders and the hash of the whole state."""

import asyncio
import time
from typing import Protocol

import httpx

from actors.pair.messages import Fingerprint
from actors.platform.errors import PairUnavailableError
from cluster.verify.fold import LogFold
from cluster.verify.report import Check

_TIMEOUT_S = 10.0
_POLL_S = 0.1


class BookSource(Protocol):
    """Whoever can ask the live books."""

    async def fingerprint(self, pair: str) -> Fingerprint:
        """Return a pair's state of one moment. Raises PairUnavailableError."""
        ...


class HttpBooks:
    """The books as a running platform's gateway shows them to its operator."""

    def __init__(self, *, url: str, operator_token: str) -> None:
        self._url = url
        self._headers = {"Authorization": f"Bearer {operator_token}"}

    async def fingerprint(self, pair: str) -> Fingerprint:
        """Return a pair's state of one moment. Raises PairUnavailableError."""
        try:
            async with httpx.AsyncClient(timeout=_TIMEOUT_S, trust_env=False) as client:
                answer = await client.get(
                    f"{self._url}/markets/{pair}/fingerprint", headers=self._headers
                )
                answer.raise_for_status()
                shown = answer.json()
        except (httpx.HTTPError, ValueError) as error:
            raise PairUnavailableError(f"{pair}: {error}") from error
        return Fingerprint(
            next_offset=shown["nextOffset"],
            sequence=shown["sequence"],
            open_orders=shown["openOrders"],
            state_hash=int(shown["stateHash"]),
        )


async def check_book(check: Check, books: BookSource, fold: LogFold, *, until_s: float) -> None:
    """Compare a live book with the fold at the live one's own offset.

    Until `until_s` (of the monotonic clock) it may be behind the fold, or silent. Raises LogError.
    """
    pair, wanted = fold.market.pair, fold.next_offset
    while True:
        try:
            live = await books.fingerprint(pair)
        except PairUnavailableError as error:
            why = str(error)
        else:
            if live.next_offset >= wanted:
                break
            why = f"it stands at offset {live.next_offset}, the log had come to {wanted}"
        if time.monotonic() > until_s:
            check.differ(f"{pair}: the live book cannot be compared: {why}")
            return
        await asyncio.sleep(_POLL_S)
    if live.next_offset > (end := await fold.end_offset()):
        check.differ(
            f"{pair}: the live book is at offset {live.next_offset}, the log ends at {end}"
        )
        return
    await fold.to_offset(live.next_offset)
    book = fold.book
    check.passed(live.open_orders)
    mine = Fingerprint(fold.next_offset, book.sequence, book.open_orders, book.state_hash())
    if mine != live:
        check.differ(
            f"{pair} at offset {live.next_offset}: sequence {live.sequence}, "
            f"{live.open_orders} open orders, hash {live.state_hash:016x}; by the log "
            f"{mine.sequence}, {mine.open_orders}, {mine.state_hash:016x}"
        )
