"""Snapshots as rows: for pairs that move between machines which share no folder."""

import asyncio
import math
import struct
import time
from collections.abc import Awaitable, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TypeVar

import asyncpg
import structlog

from actors.fold.ports import StoredSnapshot
from actors.fold.snapshots import decode_snapshot, encode_snapshot
from actors.follow.copy_format import HEADER, TRAILER, copy_rows
from actors.platform.errors import SnapshotRefusedError

_T = TypeVar("_T")
_Question = Callable[[asyncpg.Connection], Awaitable[_T]]
_FAILURES = (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError)
_log = structlog.get_logger(__name__)
_CONNECT_S = 3.0
_QUERY_S = 60.0
_LOAD_S = 20.0
_LOAD_PAUSE_S = 0.5

_REMOVE = "DELETE FROM snapshots WHERE pair = $1 AND epoch = $2 AND next_offset = $3"
_PRUNE = """
DELETE FROM snapshots WHERE pair = $1 AND epoch = $2 AND next_offset NOT IN (
    SELECT next_offset FROM snapshots WHERE pair = $1 AND epoch = $2
    ORDER BY next_offset DESC LIMIT $3)
AND ($2 = 1 OR next_offset <> (
    SELECT min(next_offset) FROM snapshots WHERE pair = $1 AND epoch = $2))
"""
_OFFSETS = """
SELECT next_offset FROM snapshots WHERE pair = $1 AND epoch = $2 ORDER BY next_offset DESC
"""
_IMAGE = "SELECT image FROM snapshots WHERE pair = $1 AND epoch = $2 AND next_offset = $3"


class Patience:
    """How long a process waits for a Postgres that is away: once, until it has answered again."""

    def __init__(self, seconds: float = _LOAD_S) -> None:
        self._seconds = seconds
        self._until_s = math.inf

    def over(self) -> bool:
        """Say whether there was no answer for long enough; called after each that failed."""
        self._until_s = min(self._until_s, time.monotonic() + self._seconds)
        return time.monotonic() > self._until_s

    def renew(self) -> None:
        """Begin anew, after an answer."""
        self._until_s = math.inf


class PostgresSnapshotStore:
    """Keep the newest `kept` snapshots of one pair and epoch in the table `snapshots`.

    The first snapshot of a later epoch is kept for ever: its log begins there.

    Its queries run in a thread of their own: the caller's may have an event loop.
    """

    def __init__(
        self,
        postgres_url: str,
        *,
        pair: str,
        kept: int,
        epoch: int = 1,
        patience: Patience | None = None,
    ) -> None:
        self._url = postgres_url
        self._patience = patience or Patience()
        self._pair = pair
        self._kept = kept
        self._epoch = epoch
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="snapshots")

    @property
    def begins_empty(self) -> bool:
        return self._epoch == 1

    def save(self, snapshot: StoredSnapshot) -> None:
        """Write a snapshot's row, then delete all but the newest. Raises OSError."""
        try:
            self._ask(partial(self._insert, snapshot))
        except _FAILURES as error:
            raise OSError(f"Postgres did not take it: {error!r}") from error

    def load(self) -> Iterator[StoredSnapshot]:
        """Yield the sound snapshots, newest first; log and pass over the others.

        Waits for a Postgres that is away, but not for long: the log alone gives the book as well.
        """
        for offset in self.offsets():
            image = self._patiently(partial(self._image, offset))
            if image is None:
                continue
            try:
                yield decode_snapshot(self._pair, image)
            except SnapshotRefusedError as error:
                _log.warning("snapshot_refused", pair=self._pair, offset=offset, why=str(error))

    def offsets(self) -> list[int]:
        """Return the log offsets of all rows, newest first; none where Postgres stays away."""
        return self._patiently(self._offsets) or []

    def _patiently(self, question: _Question[_T]) -> _T | None:
        while True:
            try:
                answer = self._ask(question)
                self._patience.renew()
                return answer
            except _FAILURES as error:
                if self._patience.over():
                    _log.error("snapshots_unreadable", pair=self._pair, why=repr(error))
                    return None
                time.sleep(_LOAD_PAUSE_S)

    def _ask(self, question: _Question[_T]) -> _T:
        return self._thread.submit(asyncio.run, self._query(question)).result()

    async def _query(self, question: _Question[_T]) -> _T:
        connection = await asyncpg.connect(self._url, timeout=_CONNECT_S, command_timeout=_QUERY_S)
        try:
            return await question(connection)
        finally:
            await connection.close(timeout=_CONNECT_S)

    async def _insert(self, snapshot: StoredSnapshot, connection: asyncpg.Connection) -> None:
        image = encode_snapshot(self._pair, snapshot)
        row = self._pair, self._epoch, snapshot.next_offset
        async with connection.transaction():
            await connection.execute(_REMOVE, *row)
            await copy_rows(
                connection,
                "snapshots",
                _row_head(*row, image_bytes=sum(len(piece) for piece in image)),
                *image,
                TRAILER,
                columns=("pair", "epoch", "next_offset", "image"),
            )
            await connection.execute(_PRUNE, self._pair, self._epoch, self._kept)

    async def _offsets(self, connection: asyncpg.Connection) -> list[int]:
        rows = await connection.fetch(_OFFSETS, self._pair, self._epoch)
        return [row["next_offset"] for row in rows]

    async def _image(self, offset: int, connection: asyncpg.Connection) -> bytes | None:
        image: bytes | None = await connection.fetchval(_IMAGE, self._pair, self._epoch, offset)
        return image


def _row_head(pair: str, epoch: int, next_offset: int, *, image_bytes: int) -> bytes:
    """Return the payload of a binary COPY of one row, up to where the image begins."""
    name = pair.encode()
    return HEADER + struct.pack(
        f">hi{len(name)}siiiqi",
        *(4, len(name), name),
        *(4, epoch, 8, next_offset),
        image_bytes,
    )
