"""Tables: rows against what they should be, none missing, none too many, none different."""

from collections.abc import Mapping
from typing import Any

import asyncpg
import numpy as np
import numpy.typing as npt
import polars as pl

from analytics.history import copy_frame
from cluster.verify.report import Check

ROWS_AT_ONCE = 50_000
Columns = Mapping[str, npt.NDArray[Any]]


async def fetch(
    connection: asyncpg.Connection,
    query: str,
    *arguments: int,
    schema: Mapping[str, type[pl.DataType]],
) -> dict[str, npt.NDArray[Any]]:
    """Return the rows of a query by column. Raises asyncpg's errors."""
    frame = await copy_frame(connection, query, *arguments, schema=schema)
    return {name: frame[name].to_numpy() for name in frame.columns}


def compare_rows(check: Check, what: str, *, key: str, expected: Columns, found: Columns) -> None:
    """Compare rows with the same keys column by column; `what` names a row's kind.

    Both sides hold each key once. Columns of objects are compared as Python's values.
    """
    wanted, there = expected[key], found[key]
    _, mine, theirs = np.intersect1d(wanted, there, assume_unique=True, return_indices=True)
    check.passed(len(mine))
    missing = np.setdiff1d(wanted, there, assume_unique=True)
    if len(missing):
        check.differ(f"{what} {missing.min()} has no row", len(missing))
    surplus = np.setdiff1d(there, wanted, assume_unique=True)
    if len(surplus):
        check.differ(f"{what} {surplus.min()} has a row, but is not in the log", len(surplus))
    wrong = np.zeros(len(mine), np.bool_)
    for name, values in expected.items():
        wrong |= values[mine] != found[name][theirs]
    if wrong.any():
        first = int(np.argmax(wrong))
        one, other = int(mine[first]), int(theirs[first])
        told = [
            f"{name} {found[name][other]}, by the log {values[one]}"
            for name, values in expected.items()
            if values[one] != found[name][other]
        ]
        check.differ(f"{what} {wanted[one]}: {'; '.join(told)}", int(wrong.sum()))
