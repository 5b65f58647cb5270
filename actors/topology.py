"""Which markets there are and where their logs lie: pair to market id to partition."""

from collections.abc import Iterator

from actors.book.market import Market

COMMANDS_TOPIC = "orders.new"
EVENTS_TOPIC = "orders.updated"
TRADES_TOPIC = "trades.executed"


class Topology:
    """The markets of one platform; each has the partition `market_id - 1` in every topic."""

    def __init__(self, markets: tuple[Market, ...]) -> None:
        self._by_pair = {market.pair: market for market in markets}
        self._by_id = {market.market_id: market for market in markets}
        if len(self._by_pair) != len(markets) or len(self._by_id) != len(markets):
            raise ValueError("every market needs a pair and a market_id of its own")

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
    def partitions(self) -> int:
        return max(self._by_id)
