"""Layouts of records as short digests, by which tests pin them."""

import hashlib
from collections.abc import Mapping
from typing import Any

import numpy as np


def digest_of(layout: np.dtype[np.void]) -> str:
    """Return 16 digits that change with the name, type or place of any field, or the size."""
    fields: Mapping[str, tuple[Any, ...]] = layout.fields or {}
    text = ";".join(
        f"{name} {fields[name][0].str}{fields[name][0].shape} {fields[name][1]}"
        for name in layout.names or ()
    )
    return hashlib.sha256(f"{text};{layout.itemsize}".encode()).hexdigest()[:16]
