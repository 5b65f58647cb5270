"""The Postgres writer seen from another process."""

from ray.exceptions import RayTaskError

from actors.platform.errors import WriterUnavailableError
from actors.remote.actor import RemoteActor
from actors.writer.ports import WriterInterface
from actors.writer.status import WRITER_NAME, WriterStatus


class RemoteWriter:
    """The writer of a namespace; needs an initialised Ray. All raises WriterUnavailableError."""

    def __init__(self, *, namespace: str, timeout_s: float = 3.0) -> None:
        self._actor: RemoteActor[WriterInterface] = RemoteActor(
            name=WRITER_NAME,
            namespace=namespace,
            timeout_s=timeout_s,
            unavailable=WriterUnavailableError,
        )

    async def ping(self) -> None:
        """Return when the writer answers."""
        await self._actor.call(WriterInterface.ping)

    async def status(self) -> WriterStatus:
        """Return how the writer stands."""
        try:
            return await self._actor.call(WriterInterface.status)
        except RayTaskError as error:
            raise WriterUnavailableError(f"the writer failed: {error}") from error
