"""A Socket.IO session over long-polling by hand: every payload and every answer is seen."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx

SEPARATOR = "\x1e"


class Polling:
    """One session of Engine.IO 4 that posts and polls when it is told to."""

    def __init__(self, http: httpx.AsyncClient) -> None:
        self._http = http
        self._query = {"EIO": "4", "transport": "polling"}
        self._packets: list[str] = []

    async def open(self) -> dict[str, Any]:
        """Begin the session and return what the server says of itself."""
        (opened, *_) = await self.poll()
        told: dict[str, Any] = json.loads(opened[1:])
        self._query["sid"] = told["sid"]
        return told

    @property
    def session(self) -> str:
        return self._query["sid"]

    async def connect(self) -> None:
        """Connect to the default namespace."""
        assert (await self.post("40")).text == "OK"
        assert (await self.until("40")).startswith('40{"sid"')

    async def post(self, *packets: str | bytes) -> httpx.Response:
        """Post packets as one payload."""
        encoded = [one.encode() if isinstance(one, str) else one for one in packets]
        return await self.post_body(SEPARATOR.encode().join(encoded))

    async def post_body(self, body: bytes | AsyncIterator[bytes]) -> httpx.Response:
        return await self._http.post("/socket.io/", params=self._query, content=body)

    async def poll(self) -> list[str]:
        """Return the packets of one answer."""
        answer = await self._http.get("/socket.io/", params=self._query)
        assert answer.status_code == 200, answer.text
        return answer.text.split(SEPARATOR)

    async def until(self, beginning: str) -> str:
        """Poll until a packet begins so, and return it; those before it are passed over."""
        while True:
            while self._packets:
                packet = self._packets.pop(0)
                if packet.startswith(beginning):
                    return packet
            self._packets = await self.poll()

    async def event(self, name: str) -> Any:
        """Poll until an event of this name, and return its data."""
        return json.loads((await self.until(f'42["{name}"'))[2:])[1]

    async def answer(self, ack: int) -> Any:
        """Poll until the answer to a request."""
        (content,) = json.loads((await self.until(f"43{ack}["))[len(f"43{ack}") :])
        return content


def request(event: str, *data: Any, ack: int | None = None) -> str:
    """Return the packet of a request."""
    return f"42{'' if ack is None else ack}{json.dumps([event, *data])}"


@asynccontextmanager
async def polling(url: str) -> AsyncIterator[Polling]:
    """Open a session that is connected to the default namespace."""
    async with httpx.AsyncClient(base_url=url, timeout=20) as http:
        session = Polling(http)
        await session.open()
        await session.connect()
        yield session
