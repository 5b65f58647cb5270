"""Analysts read reasons by name, whichever migration made their view last."""

import re
from pathlib import Path

import cluster.data
from actors.book.reasons import Reason

MIGRATIONS = Path(cluster.data.__file__).parent / "migrations"


def test_the_view_of_orders_names_every_reason() -> None:
    texts = [path.read_text() for path in sorted(MIGRATIONS.glob("*.sql"))]
    views = [text for text in texts if "VIEW orders_readable" in text]
    reasons = views[-1].partition("CASE o.reason")[2].partition("END")[0]
    named = {int(number): name for number, name in re.findall(r"WHEN (\d+) THEN '(\w+)'", reasons)}
    assert named == {reason.value: reason.name for reason in Reason if reason != Reason.NONE}
