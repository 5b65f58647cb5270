"""Venue for the page alone: its files, the requests that it makes, and a feed at a set rate.

Run as `python -m cluster.tools.bench.web.venue PORT FOLDER UPDATES_PER_SECOND TRADES_PER_SECOND`.
Answers are held to the schemas of the REST contract, and files go out as the gateway sends them.
"""

import asyncio
import contextlib
import sys
import time
from collections.abc import AsyncIterator
from typing import Any

import msgspec
import socketio
import uvicorn
from fastapi import FastAPI, Query
from starlette.responses import Response

from api.asgi.errors import json_response
from api.asgi.site import add_site
from api.json.views import Trade
from api.rest.answers import Book, Candle, Market, OrdersPage, Ticker
from cluster.tools.bench.web.market import PAIR, BusyMarket

_CANDLE_EVERY_S = 0.5
_MARKET = {
    "tradingPair": PAIR,
    "baseCurrency": "BTC",
    "quoteCurrency": "USD",
    "status": "TRADING",
    "tickSize": "0.01",
    "lotSize": "0.001",
    "minNotional": "1",
    "maxPrice": "10000000",
    "maxQuantity": "10000",
    "protectionPercent": "10",
}


class Venue:
    """One market that everybody who subscribes follows; `sent` counts the events by name."""

    def __init__(self, *, updates_per_second: float, trades_per_second: float) -> None:
        self.market = BusyMarket(seed=1, now_s=time.time())
        self.sent: dict[str, int] = {}
        self._interval_s = 1 / updates_per_second
        self._trade_share = trades_per_second / updates_per_second
        self._sio = socketio.AsyncServer(async_mode="asgi")
        self._sio.on("subscribe", self._subscribe)
        self._sio.on("unsubscribe", self._unsubscribe)

    def application(self, folder: str) -> socketio.ASGIApp:
        """Return the ASGI application."""
        app = FastAPI(lifespan=self._feeding)
        market = self.market

        @app.get("/sent")
        async def sent() -> dict[str, int]:
            return self.sent

        @app.get("/markets")
        async def markets() -> Response:
            return _held([_MARKET], list[Market])

        @app.get("/market/{pair}/ticker")
        async def ticker(pair: str) -> Response:
            del pair
            return _held(_ticker(market), Ticker)

        @app.get("/market/{pair}/orderbook")
        async def book(pair: str, depth: int = 100) -> Response:
            del pair
            return _held(market.book(depth), Book)

        @app.get("/market/{pair}/trades")
        async def trades(pair: str, limit: int = 100) -> Response:
            del pair
            return _held(market.trades[:limit], list[Trade])

        @app.get("/charts/{pair}/candles")
        async def candles(pair: str, before: int | None = None, limit: int = 100) -> Response:
            del pair
            found = [] if before is not None else market.candles[-limit:]
            return _held(found, list[Candle])

        @app.get("/orders")
        async def orders(user_id: int | None = Query(None, alias="userId")) -> Response:
            del user_id
            return _held({"orders": [], "nextCursor": None}, OrdersPage)

        add_site(app, folder)
        return socketio.ASGIApp(self._sio, other_asgi_app=app)

    async def _subscribe(self, sid: str, request: dict[str, Any]) -> dict[str, Any]:
        await self._sio.enter_room(sid, request["room"])
        return request

    async def _unsubscribe(self, sid: str, request: dict[str, Any]) -> dict[str, Any]:
        await self._sio.leave_room(sid, request["room"])
        return request

    @contextlib.asynccontextmanager
    async def _feeding(self, app: FastAPI) -> AsyncIterator[None]:
        del app
        feed = asyncio.create_task(self._feed())
        yield
        feed.cancel()
        await asyncio.gather(feed, return_exceptions=True)

    async def _feed(self) -> None:
        """Take a step whenever one is due; those that a busy machine held up follow at once."""
        due_s = candle_s = time.monotonic()
        owed = 0.0
        while True:
            owed += self._trade_share
            trades = owed >= 1.0
            owed -= trades
            steps = self.market.trade(time.time()) if trades else self.market.rest()
            if due_s - candle_s >= _CANDLE_EVERY_S:
                candle_s = due_s
                steps.append(self.market.candle())
            for event, payload in steps:
                self.sent[event] = self.sent.get(event, 0) + 1
                await self._sio.emit(event, payload, room=PAIR)
            due_s += self._interval_s
            await asyncio.sleep(max(0.0, due_s - time.monotonic()))


def _held(content: Any, kind: Any) -> Response:
    """Return an answer that fits the contract. Raises msgspec.ValidationError where it does not."""
    return json_response(msgspec.convert(content, kind))


def _ticker(market: BusyMarket) -> dict[str, Any]:
    book = market.book(1)
    first, last = market.candles[0], market.candles[-1]
    change = float(last["close"]) - float(first["open"])
    return {
        "tradingPair": PAIR,
        "lastPrice": last["close"],
        "openPrice": first["open"],
        "highPrice": max((candle["high"] for candle in market.candles), key=float),
        "lowPrice": min((candle["low"] for candle in market.candles), key=float),
        "priceChange": f"{change:.2f}",
        "priceChangePercent": f"{100 * change / float(first['open']):.4f}",
        "volume": "1000",
        "quoteVolume": "50000000",
        "trades": len(market.trades),
        "bestBid": book["bids"][0]["price"],
        "bestAsk": book["asks"][0]["price"],
        "sequence": market.sequence,
    }


if __name__ == "__main__":
    port, folder, updates, trades = sys.argv[1:]
    venue = Venue(updates_per_second=float(updates), trades_per_second=float(trades))
    uvicorn.run(venue.application(folder), host="127.0.0.1", port=int(port), log_level="warning")
