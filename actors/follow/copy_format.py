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

_PIECE_BYTES = 256 * 1024


class CopyLayout:
    """The columns of a binary COPY: fixed-width ones in order, then at most one of text."""

    def __init__(self, fixed: Mapping[str, str], *, text: str | None = None) -> None:
        self._fixed = dict(fixed)
        self._text = text
        fields: list[tuple[str, str]] = [("field_count", SMALLINT)]
        for column, width in self._fixed.items():
            fields += [(f"{column}.length", INTEGER), (column, width)]
        if text is not None:
            fields.append((f"{text}.length", INTEGER))
        self._row = np.dtype(fields)
        # A row of zeros and empty text: what it has of lengths is the same in all.
        self._blank = np.zeros(1, self._row)
        self._blank["field_count"] = len(self.columns)
        for column in self._fixed:
            self._blank[f"{column}.length"] = self._row[column].itemsize

    @property
    def columns(self) -> tuple[str, ...]:
        """Name the columns in the order of the payload, as COPY must be told them."""
        return (*self._fixed, self._text) if self._text else tuple(self._fixed)

    def encode(self, values: Mapping[str, npt.NDArray[np.generic]] | RecordArray) -> bytes:
        """Return the payload of rows given by column: integers, and the text as an `S` array.

        Text must be valid in the database's encoding; zero bytes at its end are padding.
        """
        rows = np.repeat(self._blank, len(values[self.columns[0]]))
        for column in self._fixed:
            rows[column] = values[column]
        body = rows if self._text is None else self._with_text(rows, values[self._text])
        return b"".join((HEADER, body.data, TRAILER))

    def _with_text(self, rows: RecordArray, text: npt.NDArray[np.generic]) -> RecordArray:
        """Return the rows with their text, or what is left of both as bytes."""
        text_bytes: npt.NDArray[np.bytes_] = text.astype("S", copy=False)
        if not text_bytes.view(np.uint8).any():
            return rows
        lengths = np.char.str_len(text_bytes)
        rows[f"{self._text}.length"] = lengths
        count, width, longest = len(rows), rows.dtype.itemsize, int(lengths.max())
        padded = np.empty((count, width + longest), np.uint8)
        padded[:, :width] = rows.view(np.uint8).reshape(count, width)
        padded[:, width:] = text_bytes.astype(f"S{longest}").view(np.uint8).reshape(count, longest)
        if lengths.min() == longest:
            return padded
        return padded[np.arange(width + longest) < (width + lengths)[:, None]]


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
