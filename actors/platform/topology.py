"""Which markets and assets there are, where their logs lie, and which share an actor."""

from collections.abc import Iterator, Mapping

from actors.book.market import Market
from actors.ledger.assets import Asset, shown_by_default

COMMANDS_TOPIC = "orders.new"
EVENTS_TOPIC = "orders.updated"
TRADES_TOPIC = "trades.executed"


class Topology:
    """The markets of one platform; each has the partition `market_id - 1` in every topic.

    `shared` names the actor of each pair that does not have one to itself. `assets` are those of
    which other decimals are shown than `shown_by_default` says, and those of no market.
    """

    def __init__(
        self,
        markets: tuple[Market, ...],
        *,
        shared: Mapping[str, str] | None = None,
        assets: tuple[Asset, ...] = (),
    ) -> None:
        self._shared = dict(shared or {})
        self._assets = {asset.symbol: asset for asset in assets}
        self._by_pair = {market.pair: market for market in markets}
        self._by_id = {market.market_id: market for market in markets}
        if len(self._by_pair) != len(markets) or len(self._by_id) != len(markets):
            raise ValueError("every market needs a pair and a market_id of its own")
        if self._by_pair.keys() & self._shared.values():
            raise ValueError("a shared actor needs a name that is no pair")
        if len(self._assets) != len(assets):
            raise ValueError("an asset is listed twice")

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Topology):
            return NotImplemented
        return (self._by_pair, self._shared, self._assets) == (
            other._by_pair,
            other._shared,
            other._assets,
        )

    def __hash__(self) -> int:
        return hash(frozenset(self._by_pair.values()))

    def __iter__(self) -> Iterator[Market]:
        return iter(self._by_pair.values())

    def __len__(self) -> int:
        return len(self._by_pair)

    def __contains__(self, pair: str) -> bool:
        return pair in self._by_pair

    def market(self, pair: str) -> Market:
        """Return the market of a pair. Raises KeyError."""
        return self._by_pair[pair]

    def by_id(self, market_id: int) -> Market:
        """Return the market with this id. Raises KeyError."""
        return self._by_id[market_id]

    def partition(self, market: Market) -> int:
        """Return the partition that holds this market's records in every topic."""
        return market.market_id - 1

    @property
    def assets(self) -> dict[str, Asset]:
        """Return the assets of all markets, and those that are listed, by symbol."""
        symbols = {symbol for pair in self._by_pair for symbol in pair.split("-")}
        return {symbol: shown_by_default(symbol) for symbol in sorted(symbols)} | self._assets

    @property
    def pairs(self) -> dict[int, str]:
        """Return the pairs by market id."""
        return {market.market_id: market.pair for market in self}

    def actor(self, pair: str) -> str:
        """Return what the actor of a pair is called: as the pair, where it has its own."""
        return self._shared.get(pair, pair)

    @property
    def actors(self) -> dict[str, tuple[Market, ...]]:
        """Return the markets of each actor by `market_id`, by the actor's name."""
        found: dict[str, tuple[Market, ...]] = {}
        for market in sorted(self, key=lambda market: market.market_id):
            name = self.actor(market.pair)
            found[name] = (*found.get(name, ()), market)
        return found

    def shard(self, shard: int, *, shards: int) -> "Topology":
        """Return the markets with `market_id` % `shards` == `shard`, in the actors they have."""
        markets = tuple(market for market in self if market.market_id % shards == shard)
        own = {market.pair for market in markets}
        return Topology(
            markets,
            shared={pair: name for pair, name in self._shared.items() if pair in own},
            assets=tuple(self._assets.values()),
        )

    @property
    def partitions(self) -> int:
        return max(self._by_id)
