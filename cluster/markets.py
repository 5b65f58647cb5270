"""The markets of a platform: ten by default, or those of a TOML file.

A file holds `[[markets]]` tables with decimals as strings, prices in the quote currency and
quantities in the base currency:

    [[markets]]
    id = 1
    pair = "BTC-USD"
    tick_size = "0.01"
    lot_size = "0.00000001"
    max_price = "900000"
    max_quantity = "1000"
    min_notional = "0.01"       # optional, as are the three below
    protection_bps = 1000
    client_id_memory = 1000000
    actor = "quiet"

    [[assets]]
    symbol = "BTC"              # optional: eight decimals are shown of an asset, two of USD
    decimals = 6
"""

import re
import tomllib
from fractions import Fraction
from pathlib import Path
from typing import Any

import msgspec

from actors.book.market import Market
from actors.ledger.assets import DECIMALS_MAX, Asset, MarketAssets
from actors.platform.topology import Topology
from cluster.errors import SettingsError

_PAIR = re.compile(r"[A-Z0-9]{2,10}-[A-Z0-9]{2,10}")
_ACTOR = re.compile(r"[a-z][a-z0-9-]{0,31}")


class MarketEntry(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One `[[markets]]` table, as written; pairs that name the same `actor` share it."""

    id: int
    pair: str
    tick_size: str
    lot_size: str
    max_price: str
    max_quantity: str
    min_notional: str = "0.01"
    protection_bps: int = 1_000
    client_id_memory: int = 1_000_000
    actor: str = ""

    def market(self) -> Market:
        """Turn decimals into ticks and lots. Raises SettingsError."""
        if not _PAIR.fullmatch(self.pair):
            raise SettingsError(f"{self.pair!r} is no pair: it reads like BTC-USD")
        if self.actor and not _ACTOR.fullmatch(self.actor):
            raise SettingsError(f"{self.actor!r} names no actor: it reads like quiet-1")
        try:
            tick, lot = Fraction(self.tick_size), Fraction(self.lot_size)
            market = Market(
                market_id=self.id,
                pair=self.pair,
                tick_size=self.tick_size,
                lot_size=self.lot_size,
                min_notional_units=_whole(self.min_notional, tick * lot, "min_notional"),
                max_price_ticks=_whole(self.max_price, tick, "max_price"),
                max_quantity_lots=_whole(self.max_quantity, lot, "max_quantity"),
                protection_bps=self.protection_bps,
                client_id_memory=self.client_id_memory,
            )
            MarketAssets.of(market)
        except (ValueError, ZeroDivisionError) as error:
            raise SettingsError(f"market {self.pair}: {error}") from error
        return market


class AssetEntry(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One `[[assets]]` table: how many decimals of an asset are shown."""

    symbol: str
    decimals: int = DECIMALS_MAX


class _MarketsFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    markets: list[MarketEntry]
    assets: list[AssetEntry] = []


def default_topology() -> Topology:
    """Return the ten default markets, ids 1 to 10."""
    return Topology(
        tuple(
            MarketEntry(
                id=number,
                pair=f"{base}-USD",
                tick_size=tick,
                lot_size=lot,
                max_price=max_price,
                max_quantity=max_quantity,
            ).market()
            for number, (base, tick, lot, max_price, max_quantity) in enumerate(_DEFAULTS, start=1)
        )
    )


def topology_of(markets_file: str) -> Topology:
    """Return the markets of a file, or the default ones. Raises SettingsError."""
    return load_topology(Path(markets_file)) if markets_file else default_topology()


def load_topology(path: Path) -> Topology:
    """Read a markets file. Raises SettingsError."""
    try:
        raw: dict[str, Any] = tomllib.loads(path.read_text())
        file = msgspec.convert(raw, _MarketsFile)
        entries = file.markets
        if not entries:
            raise SettingsError("it names no market")
        return Topology(
            tuple(entry.market() for entry in entries),
            shared={entry.pair: entry.actor for entry in entries if entry.actor},
            assets=tuple(Asset(entry.symbol, entry.decimals) for entry in file.assets),
        )
    except (OSError, ValueError, SettingsError) as error:
        raise SettingsError(f"markets file {path}: {error}") from error


def _whole(amount: str, step: Fraction, name: str) -> int:
    steps = Fraction(amount) / step
    if steps.denominator != 1:
        raise ValueError(f"{name} {amount} is no whole number of ticks, lots or their product")
    return int(steps)


# Base, tick size, lot size, largest price, largest quantity. Every tick divides 0.01 and every lot
# 0.0001, and largest price x largest quantity stays below 2^63 ticks x lots. BTC takes eight
# decimals, as exchanges that write their order flow out do.
_DEFAULTS = (
    ("BTC", "0.01", "0.00000001", "900000", "1000"),
    ("ETH", "0.01", "0.0000001", "900000", "10000"),
    ("SOL", "0.01", "0.000001", "900000", "100000"),
    ("BNB", "0.01", "0.000001", "900000", "100000"),
    ("XRP", "0.0001", "0.0001", "100000", "900000"),
    ("ADA", "0.0001", "0.0001", "100000", "900000"),
    ("DOGE", "0.00001", "0.0001", "10000", "900000"),
    ("AVAX", "0.001", "0.00001", "100000", "900000"),
    ("MATIC", "0.0001", "0.0001", "100000", "900000"),
    ("DOT", "0.001", "0.00001", "100000", "900000"),
)
