"""Report of a verification: a line a check, with counts and the first offending record."""

import msgspec


class Check(msgspec.Struct, kw_only=True):
    """One check over all markets; `first` is a sentence about the first difference."""

    name: str
    checked: int = 0
    differences: int = 0
    first: str | None = None

    def passed(self, count: int = 1) -> None:
        """Count records that were compared."""
        self.checked += count

    def differ(self, sentence: str, count: int = 1) -> None:
        """Count records that are wrong; the first sentence is kept."""
        self.differences += count
        if self.first is None:
            self.first = sentence


class Report(msgspec.Struct, kw_only=True):
    """The whole verification. `skipped` says which checks could not be made here, and why."""

    checks: list[Check]
    ok: bool
    markets: int
    commands: int
    events: int
    seconds: float
    skipped: dict[str, str] = {}

    def check(self, name: str) -> Check:
        """Return a check by its name. Raises KeyError."""
        for check in self.checks:
            if check.name == name:
                return check
        raise KeyError(name)
