"""Arithmetic of whether figures stay as they are: memory's slope, and latency before and after."""

from collections.abc import Mapping, Sequence

import msgspec
import numpy as np

MEGABYTE = 1024 * 1024
# Nothing of a platform grows by more than this in a minute for good and is called flat.
SLOPE_MB_PER_MINUTE_MAX = 1.0
_SLOPE_SAMPLES = 3


class Growth(msgspec.Struct, kw_only=True, frozen=True):
    """How one kind of process's memory went: megabytes (2**20 bytes), and its slope.

    `mb_per_minute` is the slope of a line through the samples after the first minutes, by least
    squares; None where there are fewer than three of them. `flat` says that it is within
    `SLOPE_MB_PER_MINUTE_MAX`; None where there is no slope.
    """

    kind: str
    begin_mb: float
    end_mb: float
    mb_per_minute: float | None
    flat: bool | None


def growths(
    samples: Sequence[Mapping[str, int]], *, minutes: Sequence[float], settle_minutes: float
) -> list[Growth]:
    """Return each kind's growth over samples in bytes, largest at the end first.

    A kind that is not in a sample held nothing then.
    """
    kinds = {kind for sample in samples for kind in sample}
    found = [
        _growth(
            kind,
            np.array([sample.get(kind, 0) / MEGABYTE for sample in samples]),
            np.array(minutes),
            settle_minutes=settle_minutes,
        )
        for kind in kinds
    ]
    return sorted(found, key=lambda one: (-one.end_mb, one.kind))


def _growth(
    kind: str, megabytes: np.ndarray, minutes: np.ndarray, *, settle_minutes: float
) -> Growth:
    late = minutes >= settle_minutes
    slope = None
    if late.sum() >= _SLOPE_SAMPLES:
        slope = round(float(np.polyfit(minutes[late], megabytes[late], 1)[0]), 3)
    return Growth(
        kind=kind,
        begin_mb=round(float(megabytes[0]), 1),
        end_mb=round(float(megabytes[-1]), 1),
        mb_per_minute=slope,
        flat=None if slope is None else slope <= SLOPE_MB_PER_MINUTE_MAX,
    )


def is_as_fast(
    before: Mapping[str, float], after: Mapping[str, float], *, factor: float, slack_ms: float
) -> bool:
    """Say whether p50 and p99 after are no worse than before, but for a factor and some slack."""
    return all(after[name] <= before[name] * factor + slack_ms for name in ("p50", "p99"))


def middle(parts: Sequence[Mapping[str, float]]) -> dict[str, float]:
    """Return the median of each percentile over several stretches of time."""
    return {name: float(np.median([part[name] for part in parts])) for name in parts[0]}
