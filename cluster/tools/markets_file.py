"""Files of markets for platforms of the tests' own, all of the same rules."""

from collections.abc import Sequence
from pathlib import Path

_MARKET = """
[[markets]]
id = {id}
pair = "{pair}"
tick_size = "0.01"
lot_size = "0.0001"
max_price = "100000"
max_quantity = "1000"
"""


def write_markets(folder: Path, pairs: Sequence[str], *, first_id: int = 1) -> Path:
    """Write `markets.toml` into a folder, with ids that go on from the first; return its path."""
    path = folder / "markets.toml"
    path.write_text(
        "".join(_MARKET.format(id=number, pair=pair) for number, pair in enumerate(pairs, first_id))
    )
    return path
