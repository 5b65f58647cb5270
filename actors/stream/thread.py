"""A server with a thread of its own, for a process whose main thread belongs to somebody else."""

import asyncio
from pathlib import Path
from threading import Thread

import structlog
import uvloop

from actors.stream.endpoint import Endpoint, Listening
from actors.stream.server import Handler, StreamServer

_log = structlog.get_logger(__name__)
_STOP_S = 5.0


class ServingThread:
    """Answer requests by `handler`, on a thread that waits for them without cost.

    Clients may connect as soon as it is made. Raises OSError where there is no Unix socket to be
    had, ValueError without a token.
    """

    def __init__(
        self,
        handler: Handler,
        *,
        token: str,
        node_id: str,
        host: str,
        folder: Path,
        ports: tuple[int, int] = (0, 0),
    ) -> None:
        self._server = StreamServer(handler, token=token)
        self._listening = Listening(node_id=node_id, host=host, ports=ports, folder=folder)
        self._loop = uvloop.new_event_loop()
        self._thread = Thread(target=self._run, name="stream", daemon=True)
        self._thread.start()

    @property
    def endpoint(self) -> Endpoint:
        """Return where others reach this thread."""
        return self._listening.endpoint

    def stop(self) -> None:
        """End the thread and all connections."""
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(_STOP_S)

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._loop.run_until_complete(self._server.start(self._listening.sockets))
        self._loop.run_forever()
        self._loop.run_until_complete(self._server.stop())
        self._loop.close()
        self._listening.close()
