"""Summary of a campaign, as it is printed and kept."""

from collections import Counter, defaultdict

import msgspec
import numpy as np

from cluster.tools.chaos.plan import Fault


class Summary(msgspec.Struct, kw_only=True):
    """The figures of a campaign.

    `recovery_ms` is, by kind of fault, the time from the fault's end (a kill's moment, the thaw)
    until every pair was served whole again; of faults that overlap, each waits for the others too.
    `others_ms` is the time of the pair that came second to last, after the kill of one pair's
    actor alone. `resent` counts orders whose first answer was lost.
    """

    seed: int
    rounds: int = 0
    faults: int = 0
    by_kind: dict[str, int] = {}
    accepted: int = 0
    resent: int = 0
    lost: int = 0
    doubled: int = 0
    disagreed: int = 0
    checks_failed: int = 0
    recovery_ms: dict[str, dict[str, float]] = {}
    others_ms: dict[str, float] = {}
    seconds: float = 0.0

    @property
    def ok(self) -> bool:
        """Say whether every promise was kept."""
        return not (self.lost or self.doubled or self.disagreed or self.checks_failed)


class Tally:
    """Count faults and the times that they took."""

    def __init__(self) -> None:
        self._kinds: Counter[str] = Counter()
        self._recovery_ms: dict[str, list[float]] = defaultdict(list)
        self._others_ms: list[float] = []

    def note(self, fault: Fault, recovery_s: float) -> None:
        """Count a fault and the seconds from its end to the whole platform's serving."""
        self._kinds[fault.kind] += 1
        self._recovery_ms[fault.kind].append(recovery_s * 1_000)

    def note_others(self, seconds: float) -> None:
        """Note when all but one pair were served, after the kill of that one's actor."""
        self._others_ms.append(seconds * 1_000)

    def into(self, summary: Summary) -> None:
        """Put the figures so far into a summary."""
        summary.faults = self._kinds.total()
        summary.by_kind = dict(sorted(self._kinds.items()))
        summary.recovery_ms = {
            kind: _percentiles(values) for kind, values in sorted(self._recovery_ms.items())
        }
        summary.others_ms = _percentiles(self._others_ms) if self._others_ms else {}


def _percentiles(values: list[float]) -> dict[str, float]:
    p50, p99 = np.percentile(values, (50, 99))
    return {"p50": round(float(p50)), "p99": round(float(p99))}
