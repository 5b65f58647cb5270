"""Rows as the payload of Postgres' binary COPY, built from numpy arrays without a loop over rows.

The format (PostgreSQL documentation, COPY, "Binary Format"): a signature, then per row the number
of fields and per field a length word and the value, all big-endian, then a trailer. With columns
of fixed width every row has the same width, so the payload is one structured array; one text
column may stand at the end of the row, where its different lengths only cut the row's tail.
"""

from collections.abc import AsyncIterator, Iterable, Mapping

import asyncpg
import numpy as np
import numpy.typing as npt

from actors.book.records import RecordArray

HEADER = b"PGCOPY\n\xff\r\n\0" + bytes(8)
TRAILER = b"\xff\xff"

SMALLINT = ">i2"
INTEGER = ">i4"
BIGINT = ">i8"

_LENGTH = np.dtype(">i4")
_PIECE_BYTES = 256 * 1024


class CopyLayout:
    """The columns of a binary COPY: fixed-width ones in order, then at most one of text."""

    def __init__(self, fixed: Mapping[str, str], *, text: str | None = None) -> None:
        self._fixed = dict(fixed)
        self._text = text
        fields: list[tuple[str, str]] = [("field_count", SMALLINT)]
        for column, width in self._fixed.items():
            fields += [(f"{column}.length", INTEGER), (column, width)]
        self._row = np.dtype(fields)

    @property
    def columns(self) -> tuple[str, ...]:
        """Name the columns in the order of the payload, as COPY must be told them."""
        return (*self._fixed, self._text) if self._text else tuple(self._fixed)

    def encode(self, values: Mapping[str, npt.NDArray[np.generic]] | RecordArray) -> bytes:
        """Return the payload of rows given by column: integers, and the text as an `S` array.

        Text must be valid in the database's encoding; zero bytes at its end are padding.
        """
        columns = self.columns
        rows = np.empty(len(values[columns[0]]), self._row)
        rows["field_count"] = len(columns)
        for column in self._fixed:
            rows[f"{column}.length"] = self._row[column].itemsize
            rows[column] = values[column]
        body = rows.tobytes() if self._text is None else _append_text(rows, values[self._text])
        return b"".join((HEADER, body, TRAILER))


def _append_text(rows: RecordArray, text: npt.NDArray[np.generic]) -> bytes:
    count, width = len(rows), rows.dtype.itemsize
    lengths = np.char.str_len(text.astype("S", copy=False))
    start = width + _LENGTH.itemsize
    longest = int(lengths.max(initial=0))
    padded = np.empty((count, start + longest), np.uint8)
    padded[:, :width] = rows.view(np.uint8).reshape(count, width)
    padded[:, width:start] = lengths.astype(_LENGTH).view(np.uint8).reshape(count, start - width)
    if longest > 0:
        padded[:, start:] = text.astype(f"S{longest}").view(np.uint8).reshape(count, longest)
        if lengths.min() < longest:
            return padded[np.arange(start + longest) < (start + lengths)[:, None]].tobytes()
    return padded.tobytes()


async def copy_rows(
    connection: asyncpg.Connection, table: str, *payload: bytes | memoryview, columns: Iterable[str]
) -> None:
    """Append rows to a table; the parts of the payload follow each other. Raises asyncpg's errors.

    The parts of a large payload are not joined: a copy would hold the interpreter, and with it a
    market, for as long as it takes.
    """
    await connection.copy_to_table(
        table, source=_pieces(payload), columns=tuple(columns), format="binary"
    )


async def _pieces(payload: Iterable[bytes | memoryview]) -> AsyncIterator[bytes]:
    """Yield the payload in pieces: asyncpg would take plain bytes for a file's path."""
    for part in payload:
        for start in range(0, len(part), _PIECE_BYTES):
            yield bytes(part[start : start + _PIECE_BYTES])
