"""How a pair's snapshot gets to its store: at once, or beside the matching."""

import threading
from collections.abc import Callable
from typing import Protocol


class Saver(Protocol):
    """Carry out one save at a time."""

    @property
    def busy(self) -> bool:
        """Say whether a save is under way; no other may be started, and no image be taken."""
        ...

    def start(self, save: Callable[[], None]) -> None:
        """Carry `save`, which raises nothing, out now or soon."""
        ...

    def wait(self, timeout_s: float) -> None:
        """Return when no save is under way, or after that long."""
        ...


class SaveAtOnce:
    """The saver of who has time: it returns when all is done."""

    @property
    def busy(self) -> bool:
        return False

    def start(self, save: Callable[[], None]) -> None:
        save()

    def wait(self, timeout_s: float) -> None:
        """Return: nothing is ever under way."""


class SaveBeside:
    """Save in a thread, so that no order waits for checksums and disks.

    What is under way is lost with the process, which costs the next start a longer replay.
    """

    def __init__(self) -> None:
        self._thread: threading.Thread | None = None

    @property
    def busy(self) -> bool:
        return self._thread is not None and self._thread.is_alive()

    def start(self, save: Callable[[], None]) -> None:
        if self.busy:
            raise RuntimeError("a save is under way")
        self._thread = threading.Thread(target=save, name="snapshot", daemon=True)
        self._thread.start()

    def wait(self, timeout_s: float) -> None:
        if self._thread is not None:
            self._thread.join(timeout_s)
