"""What a process keeps from its start is set aside, and no garbage with it."""

import gc
import weakref
from collections.abc import Iterator

import pytest

from actors.platform.memory import settle


class _Knot:
    def __init__(self) -> None:
        self.itself = self


@pytest.fixture
def unfrozen() -> Iterator[None]:
    yield
    gc.unfreeze()


@pytest.mark.usefixtures("unfrozen")
def test_what_a_start_has_made_is_kept_out_of_later_collections() -> None:
    settle()
    assert gc.get_freeze_count() > 10_000
    assert len(gc.get_objects()) < 1_000


@pytest.mark.usefixtures("unfrozen")
def test_what_a_start_has_dropped_is_freed_and_not_set_aside() -> None:
    knot = weakref.ref(_Knot())
    settle()
    assert knot() is None
