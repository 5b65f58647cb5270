"""Orders on a running platform go past Serve, which is seen by the id that it gives the others."""

import aiohttp

from cluster.tools.platforms import RunningPlatform

_ORDER = {"tradingPair": "BTC-USD", "type": "BUY", "price": 100, "quantity": 1, "userId": 1}


async def test_orders_that_wait_for_nothing_go_past_serve_and_all_else_does_not(
    running_platform: RunningPlatform,
) -> None:
    async with aiohttp.ClientSession(running_platform.url) as client:

        async def is_of_serve(method: str, path: str, content: object = None) -> bool:
            async with client.request(method, path, json=content) as answer:
                assert answer.ok, await answer.text()
                return "X-Request-ID" in answer.headers

        assert not await is_of_serve("POST", "/orders", _ORDER)
        assert not await is_of_serve("POST", "/orders/batch", {"orders": [_ORDER]})
        assert await is_of_serve("POST", "/orders?wait=5000", _ORDER)
        assert await is_of_serve("GET", "/health")
        assert await is_of_serve("GET", "/ready")
