"""What `forkast bench web` feeds the page with."""

import time
from typing import Any

import msgspec

from api.json.views import Order, Trade, View
from api.rest.answers import Book
from cluster.tools.bench.web.market import BusyMarket

_DEPTH = 1_000


def _levels(book: dict[str, Any]) -> dict[str, dict[str, str]]:
    return {
        side: {level["price"]: level["quantity"] for level in book[side]}
        for side in ("bids", "asks")
    }


def test_its_updates_lead_from_one_snapshot_to_the_next_and_hold_the_contract() -> None:
    market = BusyMarket(seed=1, now_s=time.time())
    folded = _levels(market.book(_DEPTH))
    expected_id = market.update_id
    checks: dict[str, type[View]] = {
        "new_trade": Trade,
        "order_update": Order,
    }
    for step in range(400):
        for event, payload in market.trade(time.time()) if step % 2 else market.rest():
            if event in checks:
                msgspec.convert(payload, checks[event])
                continue
            expected_id += 1
            assert (payload["firstUpdateId"], payload["lastUpdateId"]) == (expected_id, expected_id)
            for side, levels in folded.items():
                for level in payload[side]:
                    levels[level["price"]] = level["quantity"]
                    if not float(level["quantity"]):
                        del levels[level["price"]]
    book = market.book(_DEPTH)
    msgspec.convert(book, Book)
    assert folded == _levels(book)
    assert [len(book["bids"]), len(book["asks"])] == [_DEPTH, _DEPTH]
    assert float(book["bids"][0]["price"]) < float(book["asks"][0]["price"])
