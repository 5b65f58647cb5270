"""The other books trade what the naive one trades, as far as they are installed."""

import pytest

from actors.book.naive import NaiveBook
from cluster.tools.bench.flow import realistic_flow
from cluster.tools.bench.peers import PEERS, installed_peers, rows_of
from cluster.tools.bench.race import MARKET


@pytest.mark.parametrize("name", PEERS)
@pytest.mark.parametrize("swing", [0.0, 0.6])
def test_a_peer_trades_as_many_lots_as_the_naive_book(name: str, swing: float) -> None:
    installed = installed_peers()
    if name not in installed:
        pytest.skip(f"{name} is not installed: uv sync --group peers")
    flow = realistic_flow(count=20_000, seed=7, swing=swing, max_quantity_lots=1_000_000)
    expected = int(NaiveBook(MARKET).apply(flow).events["trade_lots"].sum())
    peer = installed[name]()
    peer.apply(rows_of(flow))
    assert peer.traded_lots == pytest.approx(expected, rel=0.02)
